"""Addresses below /api/, and those that older chats had elsewhere."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from chat.api import members, posting, seeds, views
from chat.api.errors import Nowhere

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
    path("auth/register/", seeds.Register.as_view()),
    path("auth/login/", seeds.Login.as_view()),
    path("auth/guest/", seeds.Guest.as_view()),
    path("people/", views.PeopleList.as_view()),
    path("contacts/", seeds.Contacts.as_view()),
    path("chats/", seeds.Chats.as_view()),
    path("chats/<str:chat>/", seeds.ChatDetail.as_view()),
    re_path("(?:.*/)?$", Nowhere.as_view()),  # one that lacks its slash is sent to where it has one, as everywhere
]

elsewhere = [
    path("save_message/", posting.SaveMessage.as_view()),
    path("chat/rooms/<str:room>/user/<str:name>/", posting.RoomPost.as_view()),
]
