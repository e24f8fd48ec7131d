"""The settings that `startproject` and the tutorial make, as far as a WebSocket needs them."""

import os

SECRET_KEY = "nothing is signed with this key"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["localhost"]

INSTALLED_APPS = [
    "daphne",
    "loadtest.bench.contenders.tutorial",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
ASGI_APPLICATION = "loadtest.bench.contenders.tutorial.asgi.application"
ROOT_URLCONF = "loadtest.bench.contenders.tutorial.routing"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BACKENDS = {
    "core": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "stack": "channels_realtime.channel_layer.ChannelLayer",
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": BACKENDS[os.environ["TUTORIAL_LAYER"]],
        "CONFIG": {
            # Beyond the tutorial: redis-py 8's own time-out of 5 s would close every idle socket, and its pool
            # of 100 connections would refuse the 101st of the sockets that connect at once.
            "hosts": [{"address": os.environ["TUTORIAL_REDIS"], "socket_timeout": None, "max_connections": 10_000}],
        },
    },
}
