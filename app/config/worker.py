"""One process, one port: gunicorn's worker that serves config.asgi, pages, static files and WebSockets together.

    gunicorn --worker-class config.worker.Worker --bind 0.0.0.0:8000 config.asgi:application

For platforms that allow one command (Azure App Service). More than one worker (WEB_CONCURRENCY) needs REDIS_URL.
"""

from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

from chat import limits


class Worker(UvicornWorker):
    """uvicorn, with the same limits as realtime.server."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "lifespan": "off",  # Django has none
        "ws": "websockets-sansio",
        "ws_max_size": limits.FRAME_BYTES,
        "ws_ping_interval": None,  # our own pings carry the heads of rooms, and tell a dead client
        "ws_per_message_deflate": False,  # memory and CPU for every socket; chat messages are short
        "access_log": False,  # the platform has one
        "server_header": False,
        # Who the client is, Django reads from the header itself, as behind nginx: see settings.py.
        "proxy_headers": False,
        # A restart does not wait for sockets: their clients come back by themselves. Seconds.
        "timeout_graceful_shutdown": 20,
    }

    def load_wsgi(self) -> None:
        """With no nginx of ours in front, a request's id would be of the visitor's own choice."""
        super().load_wsgi()
        self.wsgi: Any = without_ids(self.wsgi)


def without_ids(application: Any) -> Any:
    """The ASGI application, with X-Request-ID unheard."""

    async def unheard(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(name, value) for name, value in scope.get("headers", ()) if name != b"x-request-id"]
        await application({**scope, "headers": headers}, receive, send)

    return unheard
