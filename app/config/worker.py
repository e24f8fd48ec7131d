"""gunicorn's worker that serves pages, static files and WebSockets in one process on one port.

    gunicorn --worker-class config.worker.Worker --bind 0.0.0.0:8000 config.asgi:application

It is for platforms that allow one command (Azure App Service). More than one worker (WEB_CONCURRENCY) needs REDIS_URL.
"""

from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

from chat import limits


class Worker(UvicornWorker):
    """uvicorn with the limits of channels_realtime.server."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "lifespan": "off",  # Django has none
        "ws": "websockets-sansio",
        "ws_max_size": limits.FRAME_BYTES,
        "ws_ping_interval": None,  # the protocol's own pings carry the heads of rooms and detect dead clients
        "ws_per_message_deflate": False,  # it costs memory and CPU for every socket, and messages are short
        "access_log": False,  # the platform writes one
        "server_header": False,
        # Django reads the client's address from the header, as behind nginx: see settings.py.
        "proxy_headers": False,
        # Seconds. A restart need not wait for WebSockets: their clients reconnect.
        "timeout_graceful_shutdown": 20,
    }

    def load_wsgi(self) -> None:
        """Load the application, and ignore request ids that visitors choose: no nginx overwrites them here."""
        super().load_wsgi()
        self.wsgi: Any = ignore_request_ids(self.wsgi)


def ignore_request_ids(application: Any) -> Any:
    """Return the ASGI application, which does not see the header X-Request-ID."""

    async def filtered(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(name, value) for name, value in scope.get("headers", ()) if name != b"x-request-id"]
        await application({**scope, "headers": headers}, receive, send)

    return filtered
