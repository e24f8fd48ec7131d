"""The addresses of sockets. Every other one is told so in our own words, not by a server error."""

from channels.routing import URLRouter
from django.urls import path, re_path

from chat.ws.consumers import ChatConsumer

sockets = URLRouter(
    [
        path("ws/", ChatConsumer.as_asgi()),
        re_path(r"^ws/chat/(?P<room>[^/]+)/?$", ChatConsumer.as_asgi()),
        re_path(r"(?P<unknown>.*)", ChatConsumer.as_asgi()),
    ]
)
