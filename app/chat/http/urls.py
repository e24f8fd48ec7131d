from django.urls import path

from chat.http import people, views

urlpatterns = [
    path("", views.home, name="home"),
    path("rooms/", views.rooms, name="rooms"),
    path("rooms/<str:slug>/", views.room, name="room"),
    path("people/", people.people_page, name="people"),
    path("people/<int:person>/conversation/", people.conversation, name="conversation"),
]
