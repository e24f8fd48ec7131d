"""Clients of Redis for small questions, which rather fail than wait. Announcements have clients of their own."""

from typing import Any

import redis
from django.conf import settings
from redis import asyncio as redis_asyncio

PATIENCE = 1  # seconds for Redis to answer


def connect() -> redis.Redis:
    """To be closed; what is asked of it may raise redis.RedisError or OSError."""
    return redis.Redis.from_url(settings.REDIS_URL, **_options())


def connect_async() -> redis_asyncio.Redis:
    """The same for an event loop."""
    return redis_asyncio.Redis.from_url(settings.REDIS_URL, **_options())


def _options() -> dict[str, Any]:
    return {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "decode_responses": True}
