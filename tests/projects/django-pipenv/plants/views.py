from django.http import Http404, JsonResponse

WATER_EVERY = {"bean": 2, "sage": 5}


def plants(request):
    return JsonResponse({"plants": sorted(WATER_EVERY)})


def plant(request, name):
    if name not in WATER_EVERY:
        raise Http404
    return JsonResponse({"name": name, "water_every": WATER_EVERY[name]})
