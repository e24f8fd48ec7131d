"""A foreign project with a consumer of every kind that Channels has. It does not use channels_realtime in its code."""

SETTINGS = """
SECRET_KEY = "nothing is signed with this key"
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = ["channels", "django.contrib.contenttypes"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
BACKEND = "channels_realtime.channel_layer.ChannelLayer"
CHANNEL_LAYERS = {{"default": {{"BACKEND": BACKEND, "CONFIG": {{"hosts": ["unix://{folder}/redis.sock"]}}}}}}
ASGI_APPLICATION = "consumers.application"
ROOT_URLCONF = "consumers"
LOGGING = {{
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {{"console": {{"class": "logging.StreamHandler"}}}},
    "root": {{"handlers": ["console"], "level": "INFO"}},
}}
CHANNELS_REALTIME = {options!r}
"""

CONSUMERS = '''
import asyncio
import time

import django

django.setup()

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer, JsonWebsocketConsumer, WebsocketConsumer,
)
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from django.http import HttpResponse
from django.urls import path
from prometheus_client import generate_latest


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


class SyncEcho(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=text_data, bytes_data=bytes_data)


class JsonEcho(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json(content)


class SyncJsonEcho(JsonWebsocketConsumer):
    def receive_json(self, content):
        self.send_json(content)


class Hanging(Echo):
    async def disconnect(self, code):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass


class SyncHanging(SyncEcho):
    def disconnect(self, code):
        time.sleep(3600)


class SlowDisconnect(Echo):
    """Needs a moment for its disconnect."""

    async def disconnect(self, code):
        await asyncio.sleep(0.3)
        print(f"disconnected with {code}", flush=True)


class Refusing(AsyncWebsocketConsumer):
    async def connect(self):
        await self.close(code=4001, reason="no ticket")


class Closing(Echo):
    async def receive(self, text_data=None, bytes_data=None):
        if text_data.startswith("code "):
            await self.close(code=int(text_data.removeprefix("code ")))
            return
        for _ in range(int(text_data)):
            await self.send(text_data="x" * 50_000)
        await self.close(code=1013, reason="try later")


class Group(AsyncWebsocketConsumer):
    groups = ["everyone"]

    async def receive(self, text_data=None, bytes_data=None):
        if text_data.startswith("work "):
            await self.channel_layer.send("work", {"type": "work", "text": text_data, "to": self.channel_name})
        else:
            await self.channel_layer.group_send("everyone", {"type": "say", "text": text_data})

    async def say(self, event):
        await self.send(text_data=event["text"])


class SyncGroup(WebsocketConsumer):
    groups = ["everyone"]

    def receive(self, text_data=None, bytes_data=None):
        async_to_sync(self.channel_layer.group_send)("everyone", {"type": "say", "text": text_data})

    def say(self, event):
        self.send(text_data=event["text"])


class Worker(AsyncConsumer):
    async def work(self, event):
        await self.channel_layer.send(event["to"], {"type": "say", "text": event["text"] + " done"})


async def metrics(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": generate_latest()})


urlpatterns = []
kinds = [
    Echo, SyncEcho, JsonEcho, SyncJsonEcho, Hanging, SyncHanging, SlowDisconnect, Refusing, Closing, Group, SyncGroup,
]
application = ProtocolTypeRouter({
    "http": metrics,
    "websocket": URLRouter([path(f"{kind.__name__}/", kind.as_asgi()) for kind in kinds]),
    "channel": ChannelNameRouter({"work": Worker.as_asgi()}),
})
'''
