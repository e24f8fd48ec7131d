"""The chat's verbs over HTTP: the same services as the socket, the same answers, the same refusals."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import events
from chat.api import serializers as shapes
from chat.api.exchange import REFUSED, SignedIn, answer, checked, sent, somebody
from chat.services import history, messages, people, rooms


class PeopleList(APIView):
    """Everybody."""

    @extend_schema(
        operation_id="people_list",
        parameters=[shapes.PeopleIn],
        responses={200: shapes.ref(people.People), **REFUSED},
    )
    def get(self, request: SignedIn) -> Response:
        """List a page of the people here, by name, or of those whose name has `search` in it."""
        return answer(people.list_people(**checked(shapes.PeopleIn, request.query_params)))


class RoomList(APIView):
    """My rooms."""

    @extend_schema(operation_id="rooms_list", responses={200: shapes.ref(shapes.Rooms), **REFUSED})
    def get(self, request: SignedIn) -> Response:
        """List the rooms I am in, those with the newest words first."""
        return answer(shapes.Rooms(rooms=rooms.list_rooms(request.user)))

    @extend_schema(
        operation_id="rooms_open", request=shapes.RoomIn, responses={200: shapes.ref(events.RoomInfo), **REFUSED}
    )
    def post(self, request: SignedIn) -> Response:
        """Open a room, or enter it where it exists already."""
        wanted = checked(shapes.RoomIn, sent(request))
        if wanted["kind"] == "private":
            room = rooms.create_private_room(title=wanted["title"], topic=wanted["topic"], owner=request.user)
        elif wanted["kind"] == "direct":
            room = rooms.open_direct_room(me=request.user, other=somebody(wanted["username"]))
        else:
            room = rooms.join_room(slug=rooms.slug_from_name(wanted["name"]), user=request.user)
        return answer(events.info_of(room, rooms.get_room_title(room, request.user)))


class RoomDetail(APIView):
    """One room."""

    @extend_schema(operation_id="room_show", responses={200: shapes.ref(events.RoomInfo), **REFUSED})
    def get(self, request: SignedIn, slug: str) -> Response:
        """Describe a room I am in."""
        room = rooms.get_joined_room(slug, request.user)
        return answer(events.info_of(room, rooms.get_room_title(room, request.user)))

    @extend_schema(
        operation_id="room_describe",
        request=shapes.RoomPatchIn,
        responses={200: shapes.ref(events.RoomInfo), **REFUSED},
    )
    def patch(self, request: SignedIn, slug: str) -> Response:
        """Change the title or topic of a room I own."""
        wanted = checked(shapes.RoomPatchIn, sent(request))
        return answer(events.info_of(rooms.update_room(slug=slug, user=request.user, **wanted)))


class RoomJoin(APIView):
    """Being in a room."""

    @extend_schema(operation_id="room_join", request=None, responses={200: shapes.ref(events.RoomInfo), **REFUSED})
    def post(self, request: SignedIn, slug: str) -> Response:
        """Enter a room; an open one is made by its first visitor."""
        room = rooms.join_room(slug=slug, user=request.user)
        return answer(events.info_of(room, rooms.get_room_title(room, request.user)))


class RoomLeave(APIView):
    """Being out of a room."""

    @extend_schema(operation_id="room_leave", request=None, responses={204: None, **REFUSED})
    def post(self, request: SignedIn, slug: str) -> HttpResponse:
        """Leave a room; its words stay."""
        rooms.leave_room(slug=slug, user=request.user)
        return Response(status=204)


class RoomRead(APIView):
    """How far I have read."""

    @extend_schema(
        operation_id="room_read", request=shapes.ReadIn, responses={200: shapes.ref(shapes.Unread), **REFUSED}
    )
    def post(self, request: SignedIn, slug: str) -> Response:
        """Move my read marker; it never moves back."""
        wanted = checked(shapes.ReadIn, sent(request))
        return answer(shapes.Unread(unread=rooms.mark_read(slug=slug, user=request.user, seq=wanted["seq"])))


class MessageList(APIView):
    """What is said in a room."""

    @extend_schema(
        operation_id="messages_list",
        parameters=[shapes.HistoryIn],
        responses={200: shapes.ref(shapes.Page), **REFUSED},
    )
    def get(self, request: SignedIn, slug: str) -> Response:
        """Read a page of messages: before or after a seq, or the newest."""
        wanted = checked(shapes.HistoryIn, request.query_params)
        page = history.load_page(slug=slug, user=request.user, **wanted)
        return answer(shapes.Page(events=page.events, more=page.more))

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
        posted = messages.post_message(room=slug, author=request.user, **checked(shapes.MessageIn, sent(request)))
        return answer(events.of_message(posted.message).message, status=200 if posted.dup else 201)


class MessageDetail(APIView):
    """One message."""

    @extend_schema(
        operation_id="message_edit", request=shapes.EditIn, responses={200: shapes.ref(events.Message), **REFUSED}
    )
    def patch(self, request: SignedIn, message: int) -> Response:
        """Change the words of mine; `rev` is the one I know, a stale one is a conflict (409)."""
        wanted = checked(shapes.EditIn, sent(request))
        return answer(events.of_message(messages.edit_message(message=message, author=request.user, **wanted)).message)

    @extend_schema(operation_id="message_delete", responses={200: shapes.ref(events.Message), **REFUSED})
    def delete(self, request: SignedIn, message: int) -> Response:
        """Take mine back, or anybody's where I moderate; a tombstone stays."""
        deleted = messages.delete_message(message=message, user=request.user)
        return answer(events.of_message(deleted).message)
