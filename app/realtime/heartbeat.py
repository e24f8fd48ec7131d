"""Each WebSocket server reports to Redis every second, so that every process knows which servers are healthy."""

import asyncio
import os
import socket
import time
from typing import NamedTuple

import msgspec
import redis
from django.conf import settings

from realtime import redis_clients, shutdown
from realtime.metrics import OPEN_SOCKETS, REDIS_FAILURES, REDIS_SECONDS

REDIS_KEY = "parley:servers"  # a hash: server name -> Report as JSON
REPORT_INTERVAL_SECONDS = 1
STALE_AFTER_SECONDS = 3  # without a report
EXPIRE_AFTER_SECONDS = 60  # without a report


class Report(msgspec.Struct):
    """What a server says of itself: when (time.time()), and its open sockets."""

    at: float
    sockets: int


class Servers(NamedTuple):
    """The last report of each WebSocket server, by host and process id: reported recently, or not any more."""

    healthy: dict[str, Report]
    stale: dict[str, Report]


class Heartbeat:
    """Reports for this process. Call `start` in the event loop that serves the sockets."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}/{os.getpid()}"

    def start(self) -> None:
        """Report from now on until the process drains. Without Redis there is one process, and nothing to report."""
        if settings.REDIS_URL:
            self._task = asyncio.ensure_future(self._report())

    async def _report(self) -> None:
        client = redis_clients.connect_async()
        while not shutdown.draining.is_set():
            began = time.perf_counter()
            try:
                await client.hset(REDIS_KEY, self.name, self._current_report())
            except (redis.RedisError, OSError):
                REDIS_FAILURES.inc()
            else:
                REDIS_SECONDS.observe(time.perf_counter() - began)
            await asyncio.sleep(REPORT_INTERVAL_SECONDS)
        await client.hdel(REDIS_KEY, self.name)  # it ends on purpose, so it must not become stale

    def _current_report(self) -> bytes:
        sockets = int(OPEN_SOCKETS._value.get())  # noqa: SLF001  prometheus_client has no public way to read a gauge
        return msgspec.json.encode(Report(at=time.time(), sockets=sockets))


def load_servers(client: redis.Redis) -> Servers:
    """Read all reports, and delete expired ones.

    Args:
        client: A client that decodes its answers: realtime.redis_clients.connect.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    now = time.time()
    reports = {
        str(name): msgspec.json.decode(report, type=Report) for name, report in client.hgetall(REDIS_KEY).items()
    }
    if expired := [name for name, report in reports.items() if now - report.at > EXPIRE_AFTER_SECONDS]:
        client.hdel(REDIS_KEY, *expired)
    healthy = {name: report for name, report in reports.items() if now - report.at <= STALE_AFTER_SECONDS}
    stale = {
        name: report
        for name, report in reports.items()
        if STALE_AFTER_SECONDS < now - report.at <= EXPIRE_AFTER_SECONDS
    }
    return Servers(healthy, stale)
