"""The chat's verbs over HTTP: the same services as the socket, the same answers, the same refusals."""

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.models import User
from chat import events
from chat.api import serializers as shapes
from chat.services import history, messages, rooms
from chat.services.errors import ChatError

REFUSED = {"4XX": OpenApiResponse(shapes.ref(shapes.Refused), "Refused; nothing was changed.")}


class SignedIn(Request):
    """Every view here is for somebody: anonymous requests are refused before."""

    user: User


def _sent(request: Request) -> Any:
    try:
        return request.data
    except RecursionError:  # REST framework knows all other ways in which JSON can be wrong
        raise ParseError("JSON parse error - nested beyond reason") from None


def _checked(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


def _answer(struct: Any, status: int = 200) -> Response:
    return Response(msgspec.to_builtins(struct), status=status)


def _somebody(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NobodyOfThatName
    return user


class NobodyOfThatName(ChatError):
    code = "not_found"
    status = 404
    text = "Nobody has that username."


class RoomList(APIView):
    """My rooms."""

    @extend_schema(operation_id="rooms_list", responses={200: shapes.ref(shapes.Rooms), **REFUSED})
    def get(self, request: SignedIn) -> Response:
        """List the rooms I am in, those with the newest words first."""
        return _answer(shapes.Rooms(rooms=rooms.my_rooms(request.user)))

    @extend_schema(
        operation_id="rooms_open", request=shapes.RoomIn, responses={200: shapes.ref(events.RoomInfo), **REFUSED}
    )
    def post(self, request: SignedIn) -> Response:
        """Open a room, or enter it where it exists already."""
        wanted = _checked(shapes.RoomIn, _sent(request))
        if wanted["kind"] == "private":
            room = rooms.open_private(title=wanted["title"], topic=wanted["topic"], owner=request.user)
        elif wanted["kind"] == "direct":
            room = rooms.open_direct(me=request.user, other=_somebody(wanted["username"]))
        else:
            room = rooms.enter_room(slug=rooms.slug_of(wanted["name"]), user=request.user)
        return _answer(events.info_of(room, rooms.title_for(room, request.user)))


class RoomDetail(APIView):
    """One room."""

    @extend_schema(operation_id="room_show", responses={200: shapes.ref(events.RoomInfo), **REFUSED})
    def get(self, request: SignedIn, slug: str) -> Response:
        """Describe a room I am in."""
        room = rooms.joined_room(slug, request.user)
        return _answer(events.info_of(room, rooms.title_for(room, request.user)))

    @extend_schema(
        operation_id="room_describe",
        request=shapes.RoomPatchIn,
        responses={200: shapes.ref(events.RoomInfo), **REFUSED},
    )
    def patch(self, request: SignedIn, slug: str) -> Response:
        """Change the title or topic of a room I own."""
        wanted = _checked(shapes.RoomPatchIn, _sent(request))
        return _answer(events.info_of(rooms.describe_room(slug=slug, user=request.user, **wanted)))


class RoomJoin(APIView):
    """Being in a room."""

    @extend_schema(operation_id="room_join", request=None, responses={200: shapes.ref(events.RoomInfo), **REFUSED})
    def post(self, request: SignedIn, slug: str) -> Response:
        """Enter a room; an open one is made by its first visitor."""
        room = rooms.enter_room(slug=slug, user=request.user)
        return _answer(events.info_of(room, rooms.title_for(room, request.user)))


class RoomLeave(APIView):
    """Being out of a room."""

    @extend_schema(operation_id="room_leave", request=None, responses={204: None, **REFUSED})
    def post(self, request: SignedIn, slug: str) -> HttpResponse:
        """Leave a room; its words stay."""
        rooms.leave_room(slug=slug, user=request.user)
        return Response(status=204)


class RoomMembers(APIView):
    """Who is let into a private room."""

    @extend_schema(
        operation_id="room_add_member", request=shapes.MemberIn, responses={200: shapes.ref(events.Member), **REFUSED}
    )
    def post(self, request: SignedIn, slug: str) -> Response:
        """Let somebody into a room I own."""
        wanted = _checked(shapes.MemberIn, _sent(request))
        rooms.owned_room(slug, request.user)  # before a name is looked up: nobody learns names from a foreign room
        membership = rooms.add_member(slug=slug, owner=request.user, user=_somebody(wanted["username"]))
        return _answer(events.of_member(membership).member)


class RoomRead(APIView):
    """How far I have read."""

    @extend_schema(
        operation_id="room_read", request=shapes.ReadIn, responses={200: shapes.ref(shapes.Unread), **REFUSED}
    )
    def post(self, request: SignedIn, slug: str) -> Response:
        """Move my read marker; it never moves back."""
        wanted = _checked(shapes.ReadIn, _sent(request))
        return _answer(shapes.Unread(unread=rooms.mark_read(slug=slug, user=request.user, seq=wanted["seq"])))


class MessageList(APIView):
    """What is said in a room."""

    @extend_schema(
        operation_id="messages_list",
        parameters=[shapes.HistoryIn],
        responses={200: shapes.ref(shapes.Page), **REFUSED},
    )
    def get(self, request: SignedIn, slug: str) -> Response:
        """Read a page of messages: before or after a seq, or the newest."""
        wanted = _checked(shapes.HistoryIn, request.query_params)
        page = history.page(slug=slug, user=request.user, **wanted)
        return _answer(shapes.Page(events=page.events, more=page.more))

    @extend_schema(
        operation_id="message_post",
        request=shapes.MessageIn,
        responses={
            201: OpenApiResponse(shapes.ref(events.Message), "Stored."),
            200: OpenApiResponse(shapes.ref(events.Message), "It had been stored before, with the same cid."),
            **REFUSED,
        },
    )
    def post(self, request: SignedIn, slug: str) -> Response:
        """Say something. Safe to repeat with the same cid."""
        posted = messages.post_message(room=slug, author=request.user, **_checked(shapes.MessageIn, _sent(request)))
        return _answer(events.of_message(posted.message).message, status=200 if posted.dup else 201)


class MessageDetail(APIView):
    """A message of mine."""

    @extend_schema(
        operation_id="message_edit", request=shapes.EditIn, responses={200: shapes.ref(events.Message), **REFUSED}
    )
    def patch(self, request: SignedIn, message: int) -> Response:
        """Change its words; `rev` is the one I know, a stale one is a conflict (409)."""
        wanted = _checked(shapes.EditIn, _sent(request))
        return _answer(events.of_message(messages.edit_message(message=message, author=request.user, **wanted)).message)

    @extend_schema(operation_id="message_delete", responses={200: shapes.ref(events.Message), **REFUSED})
    def delete(self, request: SignedIn, message: int) -> Response:
        """Take it back; a tombstone stays."""
        deleted = messages.delete_message(message=message, author=request.user)
        return _answer(events.of_message(deleted).message)
