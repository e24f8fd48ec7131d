"""Each WebSocket server reports to Redis every second, so that every process knows which servers are healthy."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import NamedTuple

import msgspec
import redis

from . import redis_clients
from .conf import options
from .metrics import OPEN_SOCKETS, REDIS_FAILURES, REDIS_SECONDS

REPORT_INTERVAL_SECONDS = 1
STALE_AFTER_SECONDS = 3  # without a report
EXPIRE_AFTER_SECONDS = 60  # without a report
STOP_TIMEOUT_SECONDS = 1


def _redis_key() -> str:
    """Return the key of a hash: server name -> Report as JSON."""
    return f"{options().key_prefix}:servers"


class Report(msgspec.Struct):
    """What a server says of itself: when (time.time()), and its open sockets."""

    at: float
    sockets: int


class Servers(NamedTuple):
    """The last report of each WebSocket server, by its name (`Heartbeat`): reported recently, or not any more."""

    healthy: dict[str, Report]
    stale: dict[str, Report]


class Heartbeat:
    """Reports for this process. Call `start` in the event loop that serves the sockets.

    The name of a server is its host's name and where it listens, so the reports of a process that died are replaced by
    those of the process that systemd starts in its place.

    Args:
        listens_at: the path of a unix socket or HOST:PORT; "" where that is not known: the process id is taken.
    """

    def __init__(self, listens_at: str = "") -> None:
        self.name = f"{socket.gethostname()}:{listens_at or os.getpid()}"
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Report from now on until `stop`. Without Redis there is one process, and nothing to report."""
        if options().redis_url:
            self._task = asyncio.ensure_future(self._report())

    async def stop(self, *, is_replaced: bool) -> None:
        """End the reports, and delete the last one: a server that ends on purpose must not become stale.

        Where a successor listens at the same address, the last report is the successor's, and stays. It takes
        STOP_TIMEOUT_SECONDS at most, because Redis may be away.
        """
        if self._task is None:
            return
        self._task.cancel()
        if is_replaced:
            return
        with suppress(redis.RedisError, OSError, TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS), redis_clients.connect_async() as client:
                await client.hdel(_redis_key(), self.name)

    async def _report(self) -> None:
        client = redis_clients.connect_async()
        while True:
            began = time.perf_counter()
            try:
                await client.hset(_redis_key(), self.name, self._current_report())
            except (redis.RedisError, OSError):
                REDIS_FAILURES.inc()
            else:
                REDIS_SECONDS.observe(time.perf_counter() - began)
            await asyncio.sleep(REPORT_INTERVAL_SECONDS)

    def _current_report(self) -> bytes:
        sockets = int(OPEN_SOCKETS._value.get())  # noqa: SLF001  prometheus_client has no public way to read a gauge
        return msgspec.json.encode(Report(at=time.time(), sockets=sockets))


def load_servers(client: redis.Redis) -> Servers:
    """Read all reports, and delete expired ones.

    Args:
        client: A client that decodes its answers: channels_realtime.redis_clients.connect.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    now = time.time()
    reports = {
        str(name): msgspec.json.decode(report, type=Report) for name, report in client.hgetall(_redis_key()).items()
    }
    if expired := [name for name, report in reports.items() if now - report.at > EXPIRE_AFTER_SECONDS]:
        client.hdel(_redis_key(), *expired)
    healthy = {name: report for name, report in reports.items() if now - report.at <= STALE_AFTER_SECONDS}
    stale = {
        name: report
        for name, report in reports.items()
        if STALE_AFTER_SECONDS < now - report.at <= EXPIRE_AFTER_SECONDS
    }
    return Servers(healthy, stale)
