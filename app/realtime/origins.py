"""Checks from which origins browsers may open sockets, and logs the reason of each refusal.

A browser sends cookies with the WebSocket handshake of any page, and sends no preflight request before it. So the
Origin header is the only protection against other sites that act in a visitor's name (RFC 6455, section 10.2).
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


class OriginValidator:
    """ASGI middleware: passes a handshake to the application, or refuses it with HTTP 403 and logs the reason."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one handshake."""
        if reason := refusal_reason(dict(scope["headers"])):
            logger.warning("Socket refused: %s", reason)
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.application(scope, receive, send)


def refusal_reason(headers: dict[bytes, bytes]) -> str | None:
    """Return why a handshake with these headers is refused, or None if it is allowed."""
    host = headers.get(b"host", b"").decode("latin1")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return f"Host {host!r} is not in ALLOWED_HOSTS."
    origin = headers.get(b"origin", b"").decode("latin1")
    if not origin:
        # Programs send no Origin. They have no cookies either, but an access token.
        return "The request has cookies, but no Origin." if b"cookie" in headers else None
    if origin in settings.ALLOWED_ORIGINS or origin.lower() in (f"https://{host}".lower(), f"http://{host}".lower()):
        return None
    return f"Origin {origin!r} is neither this host ({host!r}) nor in ALLOWED_ORIGINS."
