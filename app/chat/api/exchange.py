"""Steps that every view of the API takes between a request and its answer."""

from typing import Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.models import User
from chat.services.errors import ChatError


class AuthenticatedRequest(Request):
    """A request with a user: REST framework has refused anonymous ones."""

    user: User


class UserNotFound(ChatError):
    """No active person has this username."""

    code = "not_found"
    status = 404
    text = "There is no user with this username."


def parse_json(request: Request) -> Any:
    """Return the body's content, by the parser for its content type. Raises ParseError."""
    try:
        return request.data
    except RecursionError:  # the one error of a JSON parser that REST framework does not handle
        raise ParseError("JSON parse error - nested beyond reason") from None


def validate(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the data as the serializer converts it. Raises ValidationError."""
    bound = serializer(data=data)
    bound.is_valid(raise_exception=True)
    return dict(bound.validated_data)


def respond(struct: Any, status: int = 200) -> Response:
    """Return an answer with the JSON of a msgspec struct, or of a list of structs."""
    return Response(msgspec.to_builtins(struct), status=status)


def get_user(username: str) -> User:
    """Return the active person with this username. Raises UserNotFound."""
    user = User.objects.filter(username=username, is_active=True, is_bot=False).first()
    if user is None:
        raise UserNotFound
    return user
