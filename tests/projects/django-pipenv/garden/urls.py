from django.urls import path

from plants import views

urlpatterns = [path("plants", views.plants), path("plants/<str:name>", views.plant)]
