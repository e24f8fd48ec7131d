"""The tutorial's one WebSocket route."""

from typing import Any

from django.urls import re_path

from loadtest.bench.contenders.tutorial.consumers import ChatConsumer

websocket_urlpatterns = [re_path(r"ws/chat/(?P<room_name>\w+)/$", ChatConsumer.as_asgi())]
urlpatterns: list[Any] = []  # there are no pages
