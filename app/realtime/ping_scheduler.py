"""A beat for every socket, each at its own time, but in company: waking up costs a server more than a ping does."""

import asyncio
from itertools import islice, takewhile
from typing import Protocol

COMPANY = 0.02  # of the time between two beats: how much too early one may come, with others
AT_ONCE = 100  # sockets that beat together: what they answer comes together, too, and is some 10 ms of this process


class Beating(Protocol):
    """A socket that has something to do every so often."""

    def beat(self) -> None:
        """Now."""


class Pulse:
    """Of one event loop. Whoever has begun beats, never more than `every` seconds apart, until it ends."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._due: dict[Beating, float] = {}  # by the loop's clock; the next one first
        self._timer: asyncio.Handle | None = None

    def begin(self, socket: Beating) -> None:
        """Its first beat is one such time away."""
        self._put_last(socket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._due[socket], self._beat)

    def end(self, socket: Beating) -> None:
        """No more beats."""
        self._due.pop(socket, None)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        soon = loop.time() + COMPANY * self._every
        due = takewhile(lambda one: one[1] <= soon, self._due.items())
        for socket, _ in list(islice(due, AT_ONCE)):
            self._put_last(socket)
            loop.call_soon(socket.beat)  # one that fails stops no other
        following = next(iter(self._due.values()), None)
        self._timer = None if following is None else loop.call_at(following, self._beat)

    def _put_last(self, socket: Beating) -> None:
        self._due.pop(socket, None)
        self._due[socket] = asyncio.get_running_loop().time() + self._every
