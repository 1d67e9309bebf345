from django.urls import path

from menu import views

urlpatterns = [path("", views.week), path("day/<str:name>", views.day)]
