"""An ASGI application with a plain Channels consumer, which does not use channels_realtime."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402


class Echo(AsyncWebsocketConsumer):
    """Sends each text back."""

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data)


application = Echo.as_asgi()
