from django.urls import path, re_path

from .consumers import ScoreConsumer

# The socket has the address of the page: "/" and, for the ticker, "/ws".
websocket_urlpatterns = [
    path('', ScoreConsumer.as_asgi()),
    re_path(r'^ws$', ScoreConsumer.as_asgi()),
]
