"""A project whose asgi.py imports models before Django is set up is served, although no server could start it."""

from tests.site import tutorial

ASGI = """
import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

from chat.consumers import ListConsumer

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
application = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": URLRouter([path("ws/list/", ListConsumer.as_asgi())])}
)
"""
MODELS = """
from django.db import models


class Message(models.Model):
    text = models.CharField(max_length=100)
"""
CONSUMERS = """
from channels.generic.websocket import WebsocketConsumer

from .models import Message


class ListConsumer(WebsocketConsumer):
    def connect(self):
        self.accept()
        self.send(text_data=str(Message.objects.count()))
"""


async def test_models_are_imported_first(make_project):
    files = tutorial.with_files(mysite__asgi=ASGI, chat__models=MODELS, chat__consumers=CONSUMERS)
    del files["chat/routing.py"]
    files["mysite/settings.py"] = tutorial.SETTINGS.replace(
        "channels_redis.core.RedisChannelLayer", "channels.layers.InMemoryChannelLayer"
    ).replace('"CONFIG": {"hosts": [("127.0.0.1", 6379)]},', "")
    project = make_project(files)
    started_alone = project.run("-c", "import mysite.asgi", check=False)
    assert "AppRegistryNotReady" in started_alone.stderr or "ImproperlyConfigured" in started_alone.stderr
    project.migrate()
    with project.sockets() as server:
        async with server.connect("/ws/list/") as client:
            assert await client.recv() == "0"


def test_what_the_project_does_to_the_settings_variable_is_undone(make_project):
    files = tutorial.with_files(mysite__asgi=ASGI, chat__models=MODELS, chat__consumers=CONSUMERS)
    del files["chat/routing.py"]
    project = make_project(files)
    value = project.evaluate("os.environ['DJANGO_SETTINGS_MODULE']", "import os, channels_stack.asgi")
    assert value == "channels_stack.settings"
