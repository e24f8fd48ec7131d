"""Rooms, messages and people over HTTP: the same services, answers and refusals as over the WebSocket."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import events
from chat.api import schema, serializers
from chat.api.exchange import AuthenticatedRequest, get_user, parse_json, respond, validate
from chat.api.schema import REFUSED, ref
from chat.services import history, messages, people, rooms


class PeopleList(APIView):
    """The list of people."""

    @extend_schema(
        operation_id="people_list",
        parameters=[serializers.PeopleIn],
        responses={200: ref(people.People), **REFUSED},
    )
    def get(self, request: AuthenticatedRequest) -> Response:
        """List a page of the people of the site, ordered by name, or of those whose name contains `search`."""
        return respond(people.list_people(**validate(serializers.PeopleIn, request.query_params)))


class RoomList(APIView):
    """My rooms."""

    @extend_schema(operation_id="rooms_list", responses={200: ref(schema.Rooms), **REFUSED})
    def get(self, request: AuthenticatedRequest) -> Response:
        """List the rooms that I am in; the one with the newest message is first."""
        return respond(schema.Rooms(rooms=rooms.list_rooms(request.user)))

    @extend_schema(
        operation_id="rooms_open",
        request=serializers.RoomIn,
        responses={200: ref(events.RoomInfo), **REFUSED},
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Create a room, or join it if it exists."""
        data = validate(serializers.RoomIn, parse_json(request))
        if data["kind"] == "private":
            room = rooms.create_private_room(title=data["title"], topic=data["topic"], owner=request.user)
        elif data["kind"] == "direct":
            room = rooms.open_direct_room(me=request.user, other=get_user(data["username"]))
        else:
            room = rooms.join_room(slug=rooms.slug_from_name(data["name"]), user=request.user)
        return respond(events.info_of(room, rooms.get_room_title(room, request.user)))


class RoomDetail(APIView):
    """One room."""

    @extend_schema(operation_id="room_show", responses={200: ref(events.RoomInfo), **REFUSED})
    def get(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Describe a room that I am in."""
        room = rooms.get_joined_room(slug, request.user)
        return respond(events.info_of(room, rooms.get_room_title(room, request.user)))

    @extend_schema(
        operation_id="room_describe",
        request=serializers.RoomPatchIn,
        responses={200: ref(events.RoomInfo), **REFUSED},
    )
    def patch(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Change the title or topic of a room that I own."""
        data = validate(serializers.RoomPatchIn, parse_json(request))
        return respond(events.info_of(rooms.update_room(slug=slug, user=request.user, **data)))


class RoomJoin(APIView):
    """Joining a room."""

    @extend_schema(operation_id="room_join", request=None, responses={200: ref(events.RoomInfo), **REFUSED})
    def post(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Join a room; an open one is created by its first member."""
        room = rooms.join_room(slug=slug, user=request.user)
        return respond(events.info_of(room, rooms.get_room_title(room, request.user)))


class RoomLeave(APIView):
    """Leaving a room."""

    @extend_schema(operation_id="room_leave", request=None, responses={204: None, **REFUSED})
    def post(self, request: AuthenticatedRequest, slug: str) -> HttpResponse:
        """Leave a room; its messages stay."""
        rooms.leave_room(slug=slug, user=request.user)
        return Response(status=204)


class RoomRead(APIView):
    """The read marker."""

    @extend_schema(
        operation_id="room_read",
        request=serializers.ReadIn,
        responses={200: ref(schema.Unread), **REFUSED},
    )
    def post(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Move my read marker; it never moves back."""
        data = validate(serializers.ReadIn, parse_json(request))
        return respond(schema.Unread(unread=rooms.mark_read(slug=slug, user=request.user, seq=data["seq"])))


class MessageList(APIView):
    """The messages of a room."""

    @extend_schema(
        operation_id="messages_list",
        parameters=[serializers.HistoryIn],
        responses={200: ref(schema.Page), **REFUSED},
    )
    def get(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Read a page of messages: before or after a seq, or the newest."""
        data = validate(serializers.HistoryIn, request.query_params)
        page = history.load_page(slug=slug, user=request.user, **data)
        return respond(schema.Page(events=page.events, more=page.more))

    @extend_schema(
        operation_id="message_post",
        request=serializers.MessageIn,
        responses={
            201: OpenApiResponse(ref(events.Message), "Stored."),
            200: OpenApiResponse(ref(events.Message), "It was stored before with the same cid."),
            **REFUSED,
        },
    )
    def post(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Post a message. It is safe to repeat the request with the same `cid`."""
        data = validate(serializers.MessageIn, parse_json(request))
        posted = messages.post_message(room=slug, author=request.user, **data)
        return respond(events.of_message(posted.message).message, status=200 if posted.dup else 201)


class MessageDetail(APIView):
    """One message."""

    @extend_schema(
        operation_id="message_edit",
        request=serializers.EditIn,
        responses={200: ref(events.Message), **REFUSED},
    )
    def patch(self, request: AuthenticatedRequest, message: int) -> Response:
        """Edit my message. `rev` is the revision that I know; one that is out of date is a conflict (409)."""
        data = validate(serializers.EditIn, parse_json(request))
        edited = messages.edit_message(message=message, author=request.user, **data)
        return respond(events.of_message(edited).message)

    @extend_schema(operation_id="message_delete", responses={200: ref(events.Message), **REFUSED})
    def delete(self, request: AuthenticatedRequest, message: int) -> Response:
        """Delete my message, or anyone's in a room that I own or moderate. Its place in the room stays."""
        deleted = messages.delete_message(message=message, user=request.user)
        return respond(events.of_message(deleted).message)
