"""The addresses below /api/, and those of the older chats."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from chat.api import compat_jwt, compat_posting, members, views
from chat.api.errors import ApiNotFound

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("rooms/", views.RoomList.as_view()),
    path("rooms/<str:slug>/", views.RoomDetail.as_view()),
    path("rooms/<str:slug>/join/", views.RoomJoin.as_view()),
    path("rooms/<str:slug>/leave/", views.RoomLeave.as_view()),
    path("rooms/<str:slug>/members/", members.Members.as_view()),
    path("rooms/<str:slug>/members/<int:user>/", members.MemberDetail.as_view()),
    path("rooms/<str:slug>/bans/<int:user>/", members.Ban.as_view()),
    path("rooms/<str:slug>/invitations/", members.Invitations.as_view()),
    path("rooms/<str:slug>/invitations/<int:invitation>/", members.InvitationDetail.as_view()),
    path("invitations/", members.Accept.as_view()),
    path("rooms/<str:slug>/read/", views.RoomRead.as_view()),
    path("rooms/<str:slug>/messages/", views.MessageList.as_view()),
    path("messages/<int:message>/", views.MessageDetail.as_view()),
    path("auth/register/", compat_jwt.Register.as_view()),
    path("auth/login/", compat_jwt.Login.as_view()),
    path("auth/guest/", compat_jwt.Guest.as_view()),
    path("people/", views.PeopleList.as_view()),
    path("contacts/", compat_jwt.Contacts.as_view()),
    path("chats/", compat_jwt.Chats.as_view()),
    path("chats/<str:chat>/", compat_jwt.ChatDetail.as_view()),
    re_path("(?:.*/)?$", ApiNotFound.as_view()),  # without its slash: Django redirects
]

legacy_urlpatterns = [
    path("save_message/", compat_posting.SaveMessage.as_view()),
    path("chat/rooms/<str:room>/user/<str:name>/", compat_posting.RoomPost.as_view()),
]
