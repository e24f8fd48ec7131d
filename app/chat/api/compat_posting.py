"""Compatibility with clients of the older chats that post a message with one HTTP request.

Node relay: `/save_message/`, for a program that names the author, and for people. Angular guide:
`/chat/rooms/<room>/user/<name>/`. The author is always the user of the credential; the name in the address is ignored.
"""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.tokens import BearerAuthentication
from chat.api import schema, serializers
from chat.api.authentication import IntegrationAuthentication
from chat.api.errors import KEPT_HEADERS
from chat.api.exchange import AuthenticatedRequest, parse_json, respond, validate
from chat.api.schema import REFUSED, ref
from chat.services import integrations, messages, rooms


class FixedRenderer(DefaultContentNegotiation):
    """Ignores the Accept header: these answers have one form."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Return the first renderer and its media type."""
        return renderers[0], renderers[0].media_type


class PostingView(APIView):
    """A view that takes forms and JSON, and answers GET without authentication."""

    content_negotiation_class = FixedRenderer
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and throttle every request but GET."""
        if request.method != "GET":
            super().initial(request, *args, **kwargs)


class SaveMessage(PostingView):
    """The Node relay's address. Every answer is plain text: `success`, or `error` with the status of the error."""

    authentication_classes = (IntegrationAuthentication, BearerAuthentication, SessionAuthentication)

    def handle_exception(self, exc: Exception) -> Any:
        """Return the error with the API's status and headers."""
        response = super().handle_exception(exc)
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        return HttpResponse("error", "text/plain", response.status_code, headers=headers)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Redirect people to the page where they can write."""
        return HttpResponse(status=302, headers={"Location": "/"})

    @extend_schema(
        operation_id="save_message",
        request=serializers.QuotedIn,
        responses={
            (200, "text/plain"): OpenApiResponse(str, "`success`: the message is stored."),
            ("4XX", "text/plain"): OpenApiResponse(str, "`error`: nothing was changed."),
        },
    )
    def post(self, request: AuthenticatedRequest) -> HttpResponse:
        """Post a message: an integration under the name that it reports, a person under their own name."""
        user, is_integration = request.user, request.user.is_bot
        serializer = serializers.QuotedIn if is_integration else serializers.SaveMessageIn
        data = validate(serializer, parse_json(request))
        if is_integration:
            slug = data["room"] or integrations.get_only_room(user)
        else:
            slug = rooms.join_room(slug=data["room"] or settings.DEFAULT_ROOM, user=user).slug
        messages.post_message(
            room=slug, author=user, body=data["message"], cid=data["cid"], alias=data.get("user_name", "")
        )
        return HttpResponse("success", "text/plain")


class RoomPost(PostingView):
    """The Angular guide's address of a room."""

    @extend_schema(exclude=True)
    def get(self, request: Request, room: str, name: str) -> Response:
        """Answer 405, as the guide's server does."""
        answer = {"status": "error", "msg": "GET method not supported", "data": {}}
        return Response(answer, 405, headers={"Allow": "POST, OPTIONS"})

    @extend_schema(
        operation_id="guide_post",
        request=serializers.RoomPostIn,
        responses={200: ref(schema.RoomPosted), **REFUSED},
    )
    def post(self, request: AuthenticatedRequest, room: str, name: str) -> Response:
        """Post a message in a room; an open room is created by its first visitor."""
        data = validate(serializers.RoomPostIn, parse_json(request))
        slug = rooms.join_room(slug=room, user=request.user).slug
        messages.post_message(room=slug, author=request.user, body=data["message"], cid=uuid4())
        return respond(schema.RoomPosted(username=request.user.name, room=slug))
