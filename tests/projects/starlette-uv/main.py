from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lines import LINES, following


async def lines(request):
    return JSONResponse(sorted(LINES))


async def after(request):
    try:
        stop = following(request.path_params["line"], request.path_params["stop"])
    except (KeyError, ValueError):
        return JSONResponse({"error": "no such stop"}, status_code=404)
    return JSONResponse({"next": stop})


app = Starlette(routes=[Route("/lines", lines), Route("/lines/{line}/after/{stop}", after)])
