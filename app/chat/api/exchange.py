"""What every view of the API does with a request and with its answer."""

from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.models import User
from chat.api import serializers as shapes
from chat.services.errors import ChatError

REFUSED = {"4XX": OpenApiResponse(shapes.ref(shapes.Refused), "Refused; nothing was changed.")}


class SignedIn(Request):
    """The request of somebody: anonymous ones are refused before."""

    user: User


class NobodyOfThatName(ChatError):
    code = "not_found"
    status = 404
    text = "There is no user with this username."


def sent(request: Request) -> Any:
    """The body's JSON. Raises ParseError."""
    try:
        return request.data
    except RecursionError:  # REST framework knows all other ways in which JSON can be wrong
        raise ParseError("JSON parse error - nested beyond reason") from None


def checked(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The data as the serializer wants it. Raises ValidationError."""
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


def answer(struct: Any, status: int = 200) -> Response:
    return Response(msgspec.to_builtins(struct), status=status)


def somebody(username: str) -> User:
    """The person with this username. Raises NobodyOfThatName."""
    user = User.objects.filter(username=username, is_active=True, is_bot=False).first()
    if user is None:
        raise NobodyOfThatName
    return user
