from django.http import Http404, JsonResponse
from django.shortcuts import render

MEALS = {"monday": "lentil soup", "tuesday": "risotto", "wednesday": "curry", "thursday": "pancakes", "friday": "fish"}


def week(request):
    return render(request, "menu/week.html", {"meals": MEALS})


def day(request, name):
    if name not in MEALS:
        raise Http404(name)
    return JsonResponse({"day": name, "meal": MEALS[name]})
