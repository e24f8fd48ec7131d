"""Each server of sockets says every second that it lives, in Redis; so the others know whom they miss."""

import asyncio
import os
import socket
import time
from typing import NamedTuple

import msgspec
import redis
from django.conf import settings

from realtime import redis_clients, shutdown
from realtime.metrics import REDIS, REDIS_FAILED, SOCKETS

KEY = "parley:servers"
EVERY = 1  # seconds
SILENT = 3  # seconds after which a server that said nothing is missed
FORGOTTEN = 60  # seconds after which it is not spoken of any more


class Beat(msgspec.Struct):
    """What a server says of itself."""

    at: float  # time.time()
    sockets: int


class Servers(NamedTuple):
    """The servers of sockets, by host and process: those that live, and those that fell silent."""

    alive: dict[str, Beat]
    silent: dict[str, Beat]


class Heartbeat:
    """start() it in the event loop that serves the sockets."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}/{os.getpid()}"

    def start(self) -> None:
        """Without Redis there is only one process, and nobody to tell."""
        if settings.REDIS_URL:
            self._task = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        client = redis_clients.connect_async()
        while not shutdown.draining.is_set():
            began = time.perf_counter()
            try:
                await client.hset(KEY, self.name, self._now())
            except (redis.RedisError, OSError):
                REDIS_FAILED.inc()
            else:
                REDIS.observe(time.perf_counter() - began)
            await asyncio.sleep(EVERY)
        await client.hdel(KEY, self.name)  # gone on purpose, and not missed

    def _now(self) -> bytes:
        return msgspec.json.encode(Beat(at=time.time(), sockets=int(SOCKETS._value.get())))  # noqa: SLF001


def servers(client: redis.Redis) -> Servers:
    """Who is there, by a client that decodes its answers. Raises redis.RedisError."""
    now = time.time()
    beats = {str(name): msgspec.json.decode(beat, type=Beat) for name, beat in client.hgetall(KEY).items()}
    if old := [name for name, beat in beats.items() if now - beat.at > FORGOTTEN]:
        client.hdel(KEY, *old)
    alive = {name: beat for name, beat in beats.items() if now - beat.at <= SILENT}
    silent = {name: beat for name, beat in beats.items() if SILENT < now - beat.at <= FORGOTTEN}
    return Servers(alive, silent)
