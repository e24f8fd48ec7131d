"""What the stack puts around a project's sockets: clean refusals, the Origin check, one log line for each error."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.urls.exceptions import Resolver404

from channels_stack import logs
from channels_stack.description import Site
from channels_stack.origin_check import refusal_reason

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED = 4403  # the server answers a handshake with 403 whatever the code; metrics and tests see it
FAILED = 1011  # RFC 6455, section 7.4.1: an unexpected condition
# Sent with the 403 where the project itself refuses a handshake; deploy/doctor/http_client.py reads it.
REFUSED_BY_PROJECT = [(b"x-refused-by", b"application")]
NO_ROUTE = "No route found for path"  # channels.routing.URLRouter raises a ValueError that begins so


class Sockets:
    """ASGI middleware for the scope type websocket."""

    def __init__(self, application: Application, site: Site, *, checks_origin: bool) -> None:
        """Wrap a project's application.

        Args:
            application: Serves the scope type websocket.
            site: Whose addresses are accepted.
            checks_origin: Whether this middleware checks the Origin.
        """
        self.application = application
        self.site = site
        self.checks_origin = checks_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        headers = dict(scope["headers"])
        logs.begin_request(headers.get(b"x-request-id", b"").decode("latin1"))
        if self.checks_origin and (reason := refusal_reason(headers, scope.get("scheme", "ws"), self.site)):
            await self._refuse(scope, receive, send, reason)
            return
        is_accepted = False

        async def send_and_watch(message: Message) -> None:
            nonlocal is_accepted
            if message["type"] == "websocket.accept":
                is_accepted = True
            elif message["type"] == "websocket.close" and not is_accepted:
                if hint := self._find_hint(scope):
                    logger.warning("Socket refused at %s by the project: %s.", scope["path"], hint)
                else:
                    message = {**message, "headers": REFUSED_BY_PROJECT}
            await send(message)

        try:
            await self.application(scope, receive, send_and_watch)
        except Exception as error:
            if not is_accepted and is_missing_route(error):
                await self._refuse(scope, receive, send, "the project has no socket at this address")
                return
            logger.exception("The socket at %s failed", scope["path"])
            if not is_accepted:
                raise logs.LoggedError(scope["path"]) from error  # the server answers 500
            await send({"type": "websocket.close", "code": FAILED})

    def _find_hint(self, scope: Scope) -> str | None:
        """Return what the project's own check of the Origin has found wrong; None where it refuses for another reason.

        The server logs the refusal itself.
        """
        return refusal_reason(dict(scope["headers"]), scope.get("scheme", "ws"), self.site)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:
        logger.warning("Socket refused at %s: %s.", scope["path"], reason)
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": REFUSED})


def is_missing_route(error: Exception) -> bool:
    """Whether an error says that no URLRouter has a route for the path."""
    return isinstance(error, Resolver404) or (isinstance(error, ValueError) and str(error).startswith(NO_ROUTE))
