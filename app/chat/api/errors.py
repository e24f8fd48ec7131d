"""Refusals over HTTP: the same codes and texts as over the WebSocket."""

from typing import Any

from django.db import Error as DatabaseError
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from chat.services.errors import ChatError

CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "invalid",
    429: "rate_limited",
}
KEPT_HEADERS = ("Retry-After", "Allow", "WWW-Authenticate")  # of the answers that REST framework makes


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return an exception as {"error": {"code", "text", "retry_after"?}}. REST framework's EXCEPTION_HANDLER.

    None stands for an error of the site itself: Django logs it and answers 500.
    """
    if isinstance(error, ChatError):
        return _response(error.status, error.code, error.text)
    if isinstance(error, DatabaseError):
        return _response(503, "unavailable", "The database is away. Try again.", retry_after=2)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        text = _first_sentence(error.detail)
    elif isinstance(error, exceptions.APIException):
        text = str(error.detail)
    else:
        text = "This does not exist." if isinstance(error, Http404) else "You do not have permission to do this."
    code = CODES.get(response.status_code, "invalid")
    if isinstance(error, exceptions.NotAuthenticated):
        code = "unauthenticated"
    answer = _response(response.status_code, code, text, retry_after=getattr(error, "wait", None))
    for name in KEPT_HEADERS:
        if name in response:
            answer[name] = response[name]
    return answer


@extend_schema(exclude=True)
class ApiNotFound(APIView):
    """Answers 404 as JSON to every other address below /api/: programs do not read pages."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate the request, then raise Http404."""
        super().initial(request, *args, **kwargs)
        raise Http404


def _response(status: int, code: str, text: str, retry_after: float | None = None) -> Response:
    body: dict[str, Any] = {"code": code, "text": text}
    if retry_after is not None:
        body["retry_after"] = retry_after
    return Response({"error": body}, status=status)


def _first_sentence(detail: Any) -> str:
    """Return the first error of a serializer, with the name of its field."""
    if isinstance(detail, dict):
        field, rest = next(iter(detail.items()))
        return _first_sentence(rest) if field == "non_field_errors" else f"{field}: {_first_sentence(rest)}"
    return _first_sentence(detail[0]) if isinstance(detail, list) else str(detail)
