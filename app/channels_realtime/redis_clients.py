"""Redis clients for short questions, which fail rather than wait. The channel layer has clients of its own."""

from typing import Any

import redis
from redis import asyncio as redis_asyncio

from .conf import options

REDIS_TIMEOUT_SECONDS = 1  # for Redis to accept a connection, and to answer


def connect() -> redis.Redis:
    """Return a client, which the caller closes. Its methods may raise redis.RedisError or OSError."""
    return redis.Redis.from_url(options().redis_url, **_options())


def connect_async() -> redis_asyncio.Redis:
    """Return a client for the running event loop, which the caller closes. Its methods raise as those of `connect`."""
    return redis_asyncio.Redis.from_url(options().redis_url, **_options())


def _options() -> dict[str, Any]:
    return {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "decode_responses": True,
    }
