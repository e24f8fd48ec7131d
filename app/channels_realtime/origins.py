"""Checks from which origins browsers may open sockets, and logs the reason of each refusal.

A browser sends cookies with the WebSocket handshake of any page, and sends no preflight request before it. So the
Origin header is the only protection against other sites that act in a visitor's name (RFC 6455, section 10.2).
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from .conf import options

logger = logging.getLogger(__name__)

SECURE_SCHEMES = ("https", "wss")  # of an ASGI scope
DEBUG_HOSTS = [".localhost", "127.0.0.1", "[::1]"]  # as Django's own, while DEBUG is set and ALLOWED_HOSTS is empty

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
        if reason := refusal_reason(dict(scope["headers"]), scope.get("scheme", "ws")):
            logger.warning("Socket refused: %s", reason)
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.application(scope, receive, send)


def refusal_reason(headers: dict[bytes, bytes], scheme: str = "ws") -> str | None:
    """Return why a handshake is refused, or None if it is allowed.

    Args:
        headers: the headers of the request.
        scheme: the scheme of the ASGI scope, "ws" or "wss".
    """
    host = headers.get(b"host", b"").decode("latin1")
    allowed_hosts = settings.ALLOWED_HOSTS or (DEBUG_HOSTS if settings.DEBUG else [])
    if not validate_host(split_domain_port(host)[0], allowed_hosts):
        return f"Host {host!r} is not in ALLOWED_HOSTS."
    origin = headers.get(b"origin", b"").decode("latin1")
    if not origin:
        # Programs send no Origin. They have no cookies either, but an access token.
        return "The request has cookies, but no Origin." if b"cookie" in headers else None
    if origin in options().allowed_origins or origin.lower() in own_origins(headers, scheme):
        return None
    return f"Origin {origin!r} is neither this host ({host!r}) nor in ALLOWED_ORIGINS."


def own_origins(headers: dict[bytes, bytes], scheme: str) -> list[str]:
    """Return the origins of the pages of the host to which a handshake was sent, in lower case.

    It is one origin, https or http, as the browser's connection is. The server's own TLS says which (`scheme`), or the
    header that SECURE_PROXY_SSL_HEADER names. A project without that setting cannot know: then it is both.
    """
    host = headers.get(b"host", b"").decode("latin1").lower()
    if scheme in SECURE_SCHEMES:
        return [f"https://{host}"]
    if settings.SECURE_PROXY_SSL_HEADER is None:
        return [f"https://{host}", f"http://{host}"]
    name, secure_value = settings.SECURE_PROXY_SSL_HEADER
    header = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
    value = headers.get(header, b"").decode("latin1").split(",")[0].strip()  # as Django reads it
    return [f"https://{host}" if value == secure_value else f"http://{host}"]
