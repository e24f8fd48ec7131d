"""Pings for every socket, several at a time: waking up costs a server more than sending a ping."""

import asyncio
from itertools import islice, takewhile
from typing import Protocol

PING_BATCH_TOLERANCE = 0.02  # share of the interval by which a ping may be early, to be sent with others
MAX_PING_BATCH = 100  # sockets that are pinged together: their pongs arrive together, too, and take some 10 ms


class Pingable(Protocol):
    """A socket that is to be pinged."""

    def send_ping(self) -> None:
        """Send a ping now."""


class PingScheduler:
    """Calls `send_ping` of each socket that was added, at most `interval` seconds apart, until it is removed."""

    def __init__(self, interval: float) -> None:
        """Create an empty schedule for the running event loop; `interval` is in seconds."""
        self._interval = interval
        self._due: dict[Pingable, float] = {}  # by the loop's clock; the next one is the first
        self._timer: asyncio.Handle | None = None

    def add(self, socket: Pingable) -> None:
        """Ping the socket from one interval after now on."""
        self._put_last(socket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._due[socket], self._send_due)

    def remove(self, socket: Pingable) -> None:
        """Ping the socket no more. It need not have been added."""
        self._due.pop(socket, None)

    def _send_due(self) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + PING_BATCH_TOLERANCE * self._interval
        due = takewhile(lambda item: item[1] <= limit, self._due.items())
        for socket, _ in list(islice(due, MAX_PING_BATCH)):
            self._put_last(socket)
            loop.call_soon(socket.send_ping)  # so that one that fails stops no other
        next_due = next(iter(self._due.values()), None)
        self._timer = None if next_due is None else loop.call_at(next_due, self._send_due)

    def _put_last(self, socket: Pingable) -> None:
        self._due.pop(socket, None)
        self._due[socket] = asyncio.get_running_loop().time() + self._interval
