"""Mistakes of Channels sites, with a path for each. channels_site.py serves them with the real daphne."""

import asyncio
import os

from django.conf import settings

CORE = "channels_redis.core.RedisChannelLayer"


def layer(address: str, **options: object) -> dict[str, object]:
    return {"BACKEND": CORE, "CONFIG": {"hosts": [{"address": address, **options}], "prefix": "tutorial"}}


settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.doctor.faulty_consumers",
    CHANNEL_LAYERS={
        "default": layer(os.environ.get("REDIS", ""), socket_timeout=None),
        "refused": layer("redis://127.0.0.1:1"),
        "silent": layer(os.environ.get("SILENT", "")),
        "old": layer(os.environ.get("OLD_REDIS", ""), socket_timeout=None),
        "short-timeout": layer(os.environ.get("REDIS", ""), socket_timeout=1.6),
    },
    # Without SECURE_PROXY_SSL_HEADER Django takes every page for http.
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware"],
    SECURE_SSL_REDIRECT=True,
    SECURE_REDIRECT_EXEMPT=["^ws/(?!redirected)"],
)

from django.core.asgi import get_asgi_application  # noqa: E402

pages = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from channels_stack.upgrade_probe import upgrade_required  # noqa: E402

urlpatterns = [re_path("^ws/parley/", upgrade_required)]


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data, bytes_data)


class InRoom(Echo):
    groups = ["room"]


class Refused(InRoom):
    channel_layer_alias = "refused"


class Silent(InRoom):
    channel_layer_alias = "silent"


class Old(InRoom):
    channel_layer_alias = "old"


class ShortTimeout(InRoom):
    channel_layer_alias = "short-timeout"


class Fails(Echo):
    async def connect(self) -> None:
        raise RuntimeError("connect() fails")


class Mute(AsyncWebsocketConsumer):
    """Agrees on Parley's protocol, and sends nothing."""

    async def connect(self) -> None:
        await self.accept("parley.v1")


class Broken(Mute):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(
            '{"type": "error", "id": 1, "code": "internal", "text": "Internal error; it is logged as 0a1b."}'
        )


class Slow(Echo):
    async def connect(self) -> None:
        await asyncio.sleep(60)


class Strict(Echo):
    """Accepts one subprotocol, and one visitor on one page."""

    async def connect(self) -> None:
        headers = dict(self.scope["headers"])
        is_visitor = headers.get(b"cookie") == b"sessionid=a b" and headers.get(b"origin") == b"https://pages.example"
        if is_visitor and self.scope["subprotocols"] == ["feed.v2"]:
            await self.accept("feed.v2")
        else:
            await self.close()


sockets = URLRouter(
    [
        path("ws/echo/", Echo.as_asgi()),
        path("ws/parley/", Echo.as_asgi()),
        path("ws/room/", InRoom.as_asgi()),
        path("ws/refused/", Refused.as_asgi()),
        path("ws/silent/", Silent.as_asgi()),
        path("ws/old/", Old.as_asgi()),
        path("ws/short-timeout/", ShortTimeout.as_asgi()),
        path("ws/fails/", Fails.as_asgi()),
        path("ws/parley/mute/", Mute.as_asgi()),
        path("ws/parley/broken/", Broken.as_asgi()),
        path("ws/slow/", Slow.as_asgi()),
        path("ws/strict/", Strict.as_asgi()),
        path("ws/origin/", OriginValidator(Echo.as_asgi(), ["allowed.example"])),
        path("ws/http-only/", pages),
    ]
)
application = ProtocolTypeRouter({"http": pages, "websocket": sockets})
