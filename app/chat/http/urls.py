"""The addresses of the pages."""

from django.urls import path

from chat.http import invitations, people, views

urlpatterns = [
    path("", views.home, name="home"),
    path("rooms/", views.rooms, name="rooms"),
    path("rooms/<str:slug>/", views.room, name="room"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("people/", people.people_page, name="people"),
    path("people/<int:person>/conversation/", people.conversation, name="conversation"),
]
