"""Compatibility with clients of the older chats: sign-in that answers with tokens, contacts and conversations.

The JWT + React chat uses all of these. The Angular guide signs in with only a name.
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
from chat.api import schema, serializers
from chat.api.exchange import AuthenticatedRequest, get_user, parse_json, respond, validate
from chat.api.schema import REFUSED, list_of, ref
from chat.services import chats, rooms
from chat.services.errors import ChatError

WRONG_CREDENTIALS = {401: OpenApiResponse(ref(schema.InvalidCredentials), "The name or the password is wrong.")}


class AllauthView(APIView):
    """Signs in or up by allauth, which also limits the attempts."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def call(
        self, view: Callable[..., HttpResponse], serializer: type[serializers.LoginIn], request: Request
    ) -> dict[str, Any]:
        """Return the JSON of allauth's view.

        Args:
            view: A view of allauth's API for programs.
            serializer: What the body must contain.
            request: The request to hand on.

        Raises:
            ValidationError: The body has a wrong field.
            Throttled: There were too many attempts.
        """
        django_request = request._request  # noqa: SLF001  REST framework has no other way to it
        _ = django_request.body  # once it is read, it can be read again after parsing
        validate(serializer, parse_json(request))
        for header in ("HTTP_AUTHORIZATION", "HTTP_X_SESSION_TOKEN"):  # this sign-in is a new one
            django_request.META.pop(header, None)
        vars(django_request).pop("headers", None)  # Django's cache of META
        answer: dict[str, Any] = json.loads(view(django_request).content)
        errors = answer.get("errors", [])
        if answer["status"] == 429 or any(error["code"] == "too_many_login_attempts" for error in errors):
            raise Throttled
        return answer


def _token_response(answer: dict[str, Any], status: int) -> Response:
    meta, user = answer["meta"], answer["data"]["user"]
    return respond(schema.Tokens(meta["access_token"], meta["refresh_token"], user["username"]), status)


class Login(AllauthView):
    """Sign-in with an account."""

    @extend_schema(
        operation_id="auth_login",
        request=serializers.LoginIn,
        responses={200: ref(schema.Tokens), **WRONG_CREDENTIALS, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Get tokens for a username and its password."""
        answer = self.call(LoginView.as_api_view(client=Client.APP), serializers.LoginIn, request)
        if answer["status"] != 200:
            return respond(schema.InvalidCredentials(), 401)
        return _token_response(answer, 200)


class Register(AllauthView):
    """Sign-up."""

    @extend_schema(
        operation_id="auth_register",
        request=serializers.RegisterIn,
        responses={201: ref(schema.Tokens), **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Create an account and get tokens for it."""
        answer = self.call(SignupView.as_api_view(client=Client.APP), serializers.RegisterIn, request)
        if answer["status"] != 200:
            raise ValidationError(
                [error["message"] for error in answer.get("errors", [])] or "Nobody can sign up here."
            )
        return _token_response(answer, 201)


class Guest(AllauthView):
    """Sign-in as a guest, for pages of other sites. It shares its rate limit with the form on the landing page."""

    @extend_schema(
        operation_id="auth_guest",
        request=serializers.GuestIn,
        responses={201: ref(schema.Tokens), **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Get tokens for a new guest with this name, which `username` repeats. Other guests may have the same name."""
        if not settings.ALLOW_GUESTS:
            raise Http404
        if not consume_guest_rate(request._request):  # noqa: SLF001
            raise Throttled
        guest = make_guest(validate(serializers.GuestIn, parse_json(request))["name"])
        return respond(schema.Tokens(*create_tokens(guest), guest.name), 201)


class Contacts(APIView):
    """The people with whom I have a conversation."""

    @extend_schema(operation_id="contacts_list", responses={200: list_of(chats.Contact), **REFUSED})
    def get(self, request: AuthenticatedRequest) -> Response:
        """List my contacts."""
        return respond([chat.contact for chat in chats.list_chats(request.user)])


class Chats(APIView):
    """My direct conversations."""

    @extend_schema(operation_id="chats_list", responses={200: list_of(chats.Chat), **REFUSED})
    def get(self, request: AuthenticatedRequest) -> Response:
        """List my conversations."""
        return respond(chats.list_chats(request.user))

    @extend_schema(
        operation_id="chat_create",
        request=serializers.ChatIn,
        responses={
            201: OpenApiResponse(ref(chats.Chat), "Created."),
            200: OpenApiResponse(ref(chats.Chat), "It existed already."),
            **REFUSED,
        },
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Create a conversation with another user, or return the existing one."""
        usernames = validate(serializers.ChatIn, parse_json(request))["participants"]
        others = [name for name in usernames if name != request.user.username]
        if len(others) > 1:
            raise ChatError("A conversation has two people: you and one other.")
        other = get_user(others[0]) if others else request.user
        existed = any(chat.contact.username == other.username for chat in chats.list_chats(request.user))
        room = rooms.open_direct_room(me=request.user, other=other)
        return respond(chats.get_chat(room.slug, request.user), 200 if existed else 201)


class ChatDetail(APIView):
    """One of my conversations."""

    @extend_schema(operation_id="chat_show", responses={200: ref(chats.Chat), **REFUSED})
    def get(self, request: AuthenticatedRequest, chat: str) -> Response:
        """Return the conversation."""
        return respond(chats.get_chat(chat, request.user))

    @extend_schema(
        operation_id="chat_update",
        request=serializers.ChatPatchIn,
        responses={200: ref(chats.Chat), **REFUSED},
    )
    def put(self, request: AuthenticatedRequest, chat: str) -> Response:
        """Move my read marker; the participants cannot be changed."""
        data = validate(serializers.ChatPatchIn, parse_json(request))
        found = chats.get_chat(chat, request.user)
        if sorted(data.get("participants", found.participants)) != found.participants:
            raise ChatError("The people of a conversation cannot be changed.")
        if "read" in data:
            unread = rooms.mark_read(slug=chat, user=request.user, seq=data["read"])
            found = msgspec.structs.replace(found, unread=unread)
        return respond(found)

    @extend_schema(
        operation_id="chat_patch",
        request=serializers.ChatPatchIn,
        responses={200: ref(chats.Chat), **REFUSED},
    )
    def patch(self, request: AuthenticatedRequest, chat: str) -> Response:
        """Do the same as PUT, where every field may be left out as well."""
        return self.put(request, chat)

    @extend_schema(operation_id="chat_delete", responses={204: None, **REFUSED})
    def delete(self, request: AuthenticatedRequest, chat: str) -> HttpResponse:
        """End the conversation for both. Its messages are there again when one of them creates it again."""
        rooms.end_direct_room(slug=chat, user=request.user)
        return Response(status=204)
