from django.urls import path

from chat.http import views

urlpatterns = [
    path("", views.home, name="home"),
    path("rooms/", views.rooms, name="rooms"),
    path("rooms/<str:slug>/", views.room, name="room"),
]
