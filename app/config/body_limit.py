"""No request is larger than DATA_UPLOAD_MAX_MEMORY_SIZE: nginx sees to it, and where there is none, this."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class TooLarge(Exception):
    """More came than may come."""


class BodyLimit:
    """In front of the pages. Django's own limit is for forms; any other body it stores on the disk, however large."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            await refuse(send)
            return
        try:
            await self.pages(scope, counting(receive), send)
        except TooLarge:  # Django answers nothing before it has the whole body
            await refuse(send)


def counting(receive: Any) -> Callable[[], Awaitable[Any]]:
    """`receive` until the limit; then it raises TooLarge."""
    came = 0

    async def receive_within_limit() -> Any:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        return message

    return receive_within_limit


async def refuse(send: Any) -> None:
    text = f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
