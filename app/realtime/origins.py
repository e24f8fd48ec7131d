"""Who may open a socket: a browser's page only from an origin we know, and every refusal says why in the log.

A browser sends cookies along with any page's WebSocket handshake and no preflight asks us, so the Origin header is
the only guard against other sites acting in a visitor's name.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class OriginGuard:
    """Let a handshake pass to the application, or refuse it (HTTP 403) and log the reason."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if reason := refusal(dict(scope["headers"])):
            logger.warning("Socket refused: %s", reason)
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.application(scope, receive, send)


def refusal(headers: dict[bytes, bytes]) -> str | None:
    """Why a handshake with these headers is refused; None when it is welcome."""
    host = headers.get(b"host", b"").decode("latin1")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return f"Host {host!r} is not in ALLOWED_HOSTS."
    origin = headers.get(b"origin", b"").decode("latin1")
    if not origin:
        # Programs send no Origin; they have no cookies either, but a token of their own.
        return "no Origin, but cookies." if b"cookie" in headers else None
    if origin in settings.ALLOWED_ORIGINS or origin.lower() in (f"https://{host}".lower(), f"http://{host}".lower()):
        return None
    return f"Origin {origin!r} is neither this host ({host!r}) nor in ALLOWED_ORIGINS."
