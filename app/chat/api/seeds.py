"""What clients of the small chats before Parley call over HTTP, in their words; allauth and the services do the rest.

JWT + React chat: sign-in that answers with tokens, contacts, and conversations of two. Angular guide: a name is enough
to get tokens.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from allauth.headless.account.views import LoginView, SignupView
from allauth.headless.constants import Client
from django.conf import settings
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.guests import make_guest
from accounts.tokens import create_tokens
from accounts.views import consume_guest_rate
from chat.api import serializers as shapes
from chat.api.exchange import REFUSED, SignedIn, answer, checked, sent, somebody
from chat.services import chats, rooms
from chat.services.errors import ChatError

UNKNOWN = {401: OpenApiResponse(shapes.ref(shapes.InvalidCredentials), "The name or the password is wrong.")}


class Door(APIView):
    """Sign-in and sign-up are allauth's, which also counts the tries."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def through(
        self, door: Callable[..., HttpResponse], shape: type[shapes.LoginIn], request: Request
    ) -> dict[str, Any]:
        """What allauth says. Raises Throttled, and ValidationError where a field cannot be so."""
        plain = request._request  # noqa: SLF001  REST framework has no other way to it
        _ = plain.body  # read before it is parsed, it can be read again
        checked(shape, sent(request))
        for header in ("HTTP_AUTHORIZATION", "HTTP_X_SESSION_TOKEN"):  # whoever signs in does so anew
            plain.META.pop(header, None)
        vars(plain).pop("headers", None)  # what Django remembers of META
        said: dict[str, Any] = json.loads(door(plain).content)
        errors = said.get("errors", [])
        if said["status"] == 429 or any(error["code"] == "too_many_login_attempts" for error in errors):
            raise Throttled
        return said


def _tokens(said: dict[str, Any], status: int) -> Response:
    meta, user = said["meta"], said["data"]["user"]
    return answer(shapes.Tokens(meta["access_token"], meta["refresh_token"], user["username"]), status)


class Login(Door):
    """Coming back."""

    @extend_schema(
        operation_id="auth_login",
        request=shapes.LoginIn,
        responses={200: shapes.ref(shapes.Tokens), **UNKNOWN, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Get tokens for a username and its password."""
        said = self.through(LoginView.as_api_view(client=Client.APP), shapes.LoginIn, request)
        return _tokens(said, 200) if said["status"] == 200 else answer(shapes.InvalidCredentials(), 401)


class Register(Door):
    """Coming for the first time."""

    @extend_schema(
        operation_id="auth_register",
        request=shapes.RegisterIn,
        responses={201: shapes.ref(shapes.Tokens), **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Make an account, and get tokens for it."""
        said = self.through(SignupView.as_api_view(client=Client.APP), shapes.RegisterIn, request)
        if said["status"] != 200:
            raise ValidationError([error["message"] for error in said.get("errors", [])] or "Nobody can sign up here.")
        return _tokens(said, 201)


class Guest(Door):
    """Coming with a name alone, for pages of other sites; the form on our own first page counts the same tries."""

    @extend_schema(
        operation_id="auth_guest",
        request=shapes.GuestIn,
        responses={201: shapes.ref(shapes.Tokens), **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Be a guest of this name, which `username` repeats; others may have it, too."""
        if not settings.ALLOW_GUESTS:
            raise Http404
        if not consume_guest_rate(request._request):  # noqa: SLF001
            raise Throttled
        guest = make_guest(checked(shapes.GuestIn, sent(request))["name"])
        return answer(shapes.Tokens(*create_tokens(guest), guest.name), 201)


class Contacts(APIView):
    """The people I talk with."""

    @extend_schema(operation_id="contacts_list", responses={200: shapes.listed(chats.Contact), **REFUSED})
    def get(self, request: SignedIn) -> Response:
        """List those I have a conversation with."""
        return answer([chat.contact for chat in chats.list_chats(request.user)])


class Chats(APIView):
    """My conversations of two."""

    @extend_schema(operation_id="chats_list", responses={200: shapes.listed(chats.Chat), **REFUSED})
    def get(self, request: SignedIn) -> Response:
        """List my conversations."""
        return answer(chats.list_chats(request.user))

    @extend_schema(
        operation_id="chat_create",
        request=shapes.ChatIn,
        responses={
            201: OpenApiResponse(shapes.ref(chats.Chat), "Begun."),
            200: OpenApiResponse(shapes.ref(chats.Chat), "These two had it already."),
            **REFUSED,
        },
    )
    def post(self, request: SignedIn) -> Response:
        """Begin a conversation with somebody, or find the one there is."""
        names = checked(shapes.ChatIn, sent(request))["participants"]
        others = [name for name in names if name != request.user.username]
        if len(others) > 1:
            raise ChatError("A conversation has two people: you and one other.")
        other = somebody(others[0]) if others else request.user
        known = any(chat.contact.username == other.username for chat in chats.list_chats(request.user))
        room = rooms.open_direct_room(me=request.user, other=other)
        return answer(chats.get_chat(room.slug, request.user), 200 if known else 201)


class ChatDetail(APIView):
    """A conversation of mine."""

    @extend_schema(operation_id="chat_show", responses={200: shapes.ref(chats.Chat), **REFUSED})
    def get(self, request: SignedIn, chat: str) -> Response:
        """Show it."""
        return answer(chats.get_chat(chat, request.user))

    @extend_schema(
        operation_id="chat_update", request=shapes.ChatPatchIn, responses={200: shapes.ref(chats.Chat), **REFUSED}
    )
    def put(self, request: SignedIn, chat: str) -> Response:
        """Say how far I have read; whose conversation it is does not change."""
        wanted = checked(shapes.ChatPatchIn, sent(request))
        found = chats.get_chat(chat, request.user)
        if sorted(wanted.get("participants", found.participants)) != found.participants:
            raise ChatError("The people of a conversation cannot be changed.")
        if "read" in wanted:
            unread = rooms.mark_read(slug=chat, user=request.user, seq=wanted["read"])
            found = msgspec.structs.replace(found, unread=unread)
        return answer(found)

    @extend_schema(
        operation_id="chat_patch", request=shapes.ChatPatchIn, responses={200: shapes.ref(chats.Chat), **REFUSED}
    )
    def patch(self, request: SignedIn, chat: str) -> Response:
        """Do as with put: every field may be left out there, too."""
        return self.put(request, chat)

    @extend_schema(operation_id="chat_delete", responses={204: None, **REFUSED})
    def delete(self, request: SignedIn, chat: str) -> HttpResponse:
        """End it for both; its words come back when one of them begins it again."""
        rooms.end_direct_room(slug=chat, user=request.user)
        return Response(status=204)
