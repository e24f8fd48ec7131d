"""The addresses of sockets. Every other one is told so in our own words, not by a server error."""

from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from chat.ws.ancestral import AncestralTab
from chat.ws.consumers import ChatConsumer
from chat.ws.dialects import Dialect
from chat.ws.dialects.plain import AngularGuide, NodeRelay, PtBrChat
from chat.ws.dialects.react_chat import ReactChat

parley = ChatConsumer.as_asgi()


def also(dialect: type[Dialect]) -> Any:
    """parley.v1, and to clients that offer no subprotocol at all, that dialect."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        tab = parley if scope["subprotocols"] else AncestralTab.as_asgi(dialect=dialect)
        await tab(scope, receive, send)

    return application


sockets = URLRouter(
    [
        path("ws/", parley),
        path("ws/chat/", also(NodeRelay), {"room": settings.DEFAULT_ROOM}),
        re_path(r"^ws/chat/(?P<room>~[^/]+)/$", also(ReactChat)),
        re_path(r"^ws/chat/(?P<room>[^/]+)/$", also(AngularGuide)),
        re_path(r"^ws/chat/(?P<room>[^/]+)$", also(PtBrChat)),
        re_path(r"(?P<unknown>.*)", parley),
    ]
)
