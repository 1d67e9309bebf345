import aiohttp, orjson, yaml
