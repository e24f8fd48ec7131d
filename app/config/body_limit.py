"""Limits the size of request bodies where no nginx does it."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class BodyTooLarge(Exception):
    """The request's body has more than DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""


class BodyLimit:
    """ASGI middleware that answers 413 to bodies larger than DATA_UPLOAD_MAX_MEMORY_SIZE.

    Django applies that setting to forms only, and stores any other body on the disk.
    """

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Refuse the request by its Content-Length, or while its body arrives."""
        content_length = dict(scope["headers"]).get(b"content-length", b"")
        if content_length.isdigit() and int(content_length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            await _refuse(send)
            return
        try:
            await self.pages(scope, _limited(receive), send)
        except BodyTooLarge:  # Django has answered nothing: it reads the whole body first
            await _refuse(send)


def _limited(receive: Any) -> Callable[[], Awaitable[Any]]:
    """Return a `receive` that raises BodyTooLarge beyond the limit."""
    received = 0

    async def receive_within_limit() -> Any:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        return message

    return receive_within_limit


async def _refuse(send: Any) -> None:
    text = f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
