"""Saying something by one request, as clients of the small chats before Parley do.

Node relay: `/save_message/`, for a program that says who said it, and for people. Angular guide:
`/chat/rooms/<room>/user/<name>/`. Who speaks is said by the credential; a name in an address is not read.
"""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.tokens import BearerAuthentication
from chat.api import serializers as shapes
from chat.api.exchange import REFUSED, SignedIn, answer, checked, sent
from chat.services import integrations, messages, rooms


class IntegrationAuthentication(BaseAuthentication):
    """`Authorization: Bearer parley_...`"""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, token = get_authorization_header(request).decode("latin1").partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(integrations.PREFIX):
            return None
        if (bot := integrations.find_bot(token)) is None:
            raise AuthenticationFailed("This token is not valid.")
        return bot, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IntegrationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = IntegrationAuthentication
    name = "integration"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": integrations.PREFIX}


class OneWay(DefaultContentNegotiation):
    """Our answers have one form, whatever a client would like."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Posting(APIView):
    """Forms and JSON; a GET is answered without asking who it is."""

    content_negotiation_class = OneWay
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != "GET":
            super().initial(request, *args, **kwargs)


class SaveMessage(Posting):
    """Answers in plain text, whatever happens: `success`, or `error` with the status that says why."""

    authentication_classes = (IntegrationAuthentication, BearerAuthentication, SessionAuthentication)

    def handle_exception(self, exc: Exception) -> Any:
        refused = super().handle_exception(exc)
        kept = {name: refused[name] for name in ("Retry-After", "Allow", "WWW-Authenticate") if name in refused}
        return HttpResponse("error", "text/plain", refused.status_code, headers=kept)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Show people where to write."""
        return HttpResponse(status=302, headers={"Location": "/"})

    @extend_schema(
        operation_id="save_message",
        request=shapes.QuotedIn,
        responses={
            (200, "text/plain"): OpenApiResponse(str, "`success`: it is stored."),
            ("4XX", "text/plain"): OpenApiResponse(str, "`error`: nothing was changed."),
        },
    )
    def post(self, request: SignedIn) -> HttpResponse:
        """Say something: an integration under the name that it reports, a person under their own."""
        user, by_program = request.user, request.user.is_bot
        wanted = checked(shapes.QuotedIn if by_program else shapes.SaveMessageIn, sent(request))
        if by_program:
            slug = wanted["room"] or integrations.get_only_room(user)
        else:
            slug = rooms.join_room(slug=wanted["room"] or settings.DEFAULT_ROOM, user=user).slug
        messages.post_message(
            room=slug, author=user, body=wanted["message"], cid=wanted["cid"], alias=wanted.get("user_name", "")
        )
        return HttpResponse("success", "text/plain")


class RoomPost(Posting):
    """A message of the Angular guide."""

    @extend_schema(exclude=True)
    def get(self, request: Request, room: str, name: str) -> Response:
        """Say that this is no way to read."""
        said = {"status": "error", "msg": "GET method not supported", "data": {}}
        return Response(said, 405, headers={"Allow": "POST, OPTIONS"})

    @extend_schema(
        operation_id="guide_post",
        request=shapes.RoomPostIn,
        responses={200: shapes.ref(shapes.RoomPosted), **REFUSED},
    )
    def post(self, request: SignedIn, room: str, name: str) -> Response:
        """Say something in a room, which is made by its first visitor."""
        wanted = checked(shapes.RoomPostIn, sent(request))
        slug = rooms.join_room(slug=room, user=request.user).slug
        messages.post_message(room=slug, author=request.user, body=wanted["message"], cid=uuid4())
        return answer(shapes.RoomPosted(username=request.user.name, room=slug))
