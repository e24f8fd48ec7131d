"""The addresses of the sockets. A socket at any other address is closed with a reason, instead of an error 500."""

from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import path, re_path

from chat.ws.compat.codec import CompatCodec
from chat.ws.compat.consumer import CompatConsumer
from chat.ws.compat.plain_chats import AngularGuideCodec, NodeRelayCodec, PtBrChatCodec
from chat.ws.compat.react_chat import ReactChatCodec
from chat.ws.consumer import ChatConsumer

parley_v1 = ChatConsumer.as_asgi()


def with_compat(codec: type[CompatCodec]) -> Any:
    """Return an application that speaks parley.v1, and this codec to clients that offer no subprotocol."""
    compat = CompatConsumer.as_asgi(codec)

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await (parley_v1 if scope["subprotocols"] else compat)(scope, receive, send)

    return application


sockets = URLRouter(
    [
        path("ws/", parley_v1),
        path("ws/chat/", with_compat(NodeRelayCodec), {"room": settings.DEFAULT_ROOM}),
        re_path(r"^ws/chat/(?P<room>~[^/]+)/$", with_compat(ReactChatCodec)),
        re_path(r"^ws/chat/(?P<room>[^/]+)/$", with_compat(AngularGuideCodec)),
        re_path(r"^ws/chat/(?P<room>[^/]+)$", with_compat(PtBrChatCodec)),
        re_path(r"(?P<unknown>.*)", parley_v1),
    ]
)
