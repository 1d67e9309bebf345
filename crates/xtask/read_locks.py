"""Prints rows of wheels_more.tsv for the packages that uv.lock files name and the table of wheels lacks.

    python3 read_locks.py WHEELS_ALL_VERSIONS UV_LOCK...

The locks are of one platform (Linux x86-64), so an empty cell says nothing: `complete` is 0. Columns as in that table.
"""

import re
import sys
import tomllib

# What packages need on the Python of an old lock alone, for features that Python 3.12 has.
BACKPORTS = {"importlib-metadata", "importlib-resources", "zipp", "dataclasses", "backports-zoneinfo", "contextvars", "aiocontextvars",
             "async-timeout", "exceptiongroup", "tomli", "pkgutil-resolve-name", "importlib-resources", "async-generator", "typing"}
PLATFORMS = [("manylinux", "x86_64"), ("manylinux", "aarch64"), ("musllinux", "x86_64"), ("musllinux", "aarch64")]


def sizes(package):
    """Bytes of the wheel for any platform, of those for the platforms, and of the source."""
    found = [None] * 6
    ranks = [None] * 6
    for wheel in package.get("wheels", ()):
        name = wheel["url"].rsplit("/", 1)[1].removesuffix(".whl")
        *_, python, abi, platform = name.split("-")
        at = 0 if platform == "any" else None
        for index, (system, processor) in enumerate(PLATFORMS, 1):
            if system in platform and platform.endswith(processor):
                at = index
        # CPython 3.12 or its stable ABI first; free-threaded builds and PyPy last.
        rank = (abi.endswith("t"), python.startswith("pp"), not (python == "cp312" or abi == "abi3"))
        if at is not None and (ranks[at] is None or rank < ranks[at]):
            found[at], ranks[at] = wheel.get("size"), rank
    found[5] = package.get("sdist", {}).get("size")
    return found


def main():
    with open(sys.argv[1]) as table:
        known = {tuple(line.split("\t")[:2]) for line in table}
    rows = {}
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            lock = tomllib.load(file)
        for package in lock.get("package", ()):
            key = (package["name"], package.get("version"))
            if "registry" not in package["source"] or key in known or key in rows:
                continue
            found = sizes(package)
            if not any(found):
                continue
            kind = "native" if any(found[1:5]) else "pure" if found[0] else "sdist"
            files = [*package.get("wheels", ()), package.get("sdist", {})]
            days = sorted(file["upload-time"][:10] for file in files if file.get("upload-time"))
            needs = sorted({need["name"] for need in package.get("dependencies", ())} - BACKPORTS)
            cells = ["" if size is None else str(size) for size in found]
            rows[key] = [*key, days[len(days) // 2] if days else "", kind, *cells, "0", ",".join(needs)]
    for key in sorted(rows):
        print("\t".join(rows[key]))


main()
