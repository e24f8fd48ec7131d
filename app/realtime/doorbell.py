"""Telling every process that a stream has moved.

Only a doorbell: an announcement may be lost, late or doubled; each process's hub notices by the numbers and reads
the database. So nothing here waits, and nothing here fails a command that is already committed.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

Announcement = dict[str, Any]  # type, stream, text; seq and drop for lasting events

WAITING = 10_000  # announcements held while Redis is slow; the oldest are forgotten first
PATIENCE = 3  # seconds for one announcement to leave


def announce(stream: str, seq: int, text: str, *, drop: int | None = None) -> None:
    """Once the running transaction is committed: event `seq` of the stream is `text` (JSON).

    drop: the key of the members that the event takes out of the stream.
    """
    transaction.on_commit(
        partial(bell.ring, {"type": "event", "stream": stream, "seq": seq, "text": text, "drop": drop})
    )


def whisper(stream: str, text: str) -> None:
    """Now, to whoever listens, and never again: `text` (a whole frame) is about this moment."""
    bell.ring({"type": "ephemeral", "stream": stream, "text": text})


class Doorbell:
    """One per process: a queue, and one task that empties it over one long-lived connection."""

    def __init__(self) -> None:
        self._waiting: deque[Announcement] = deque(maxlen=WAITING)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hear: Callable[[Announcement], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self.reachable = True

    def attach(self, hear: Callable[[Announcement], None]) -> None:
        """Use the running loop, and tell the hub in it first: its own members need no Redis."""
        self._loop, self._hear, self._task = asyncio.get_running_loop(), hear, None

    def ring(self, announcement: Announcement) -> None:
        """Announce from any thread. Returns at once, never raises."""
        self._running_loop().call_soon_threadsafe(self._accept, announcement)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                # A process that serves no sockets (gunicorn, a command) has no loop: it gets one, for good.
                self._loop, self._hear, self._task = asyncio.new_event_loop(), None, None
                threading.Thread(target=self._loop.run_forever, name="doorbell", daemon=True).start()
            return self._loop

    def _accept(self, announcement: Announcement) -> None:
        if self._hear is not None and "seq" in announcement:
            self._hear(announcement)
        self._waiting.append(announcement)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._empty())

    async def _empty(self) -> None:
        layer = get_channel_layer()
        while self._waiting:
            announcement = self._waiting.popleft()
            try:
                await asyncio.wait_for(layer.group_send(announcement["stream"], announcement), PATIENCE)
            except Exception as error:  # whatever a layer raises when its server is away
                # Those who wait are as late as this one: the hubs' poll will be there before us.
                lost = 1 + len(self._waiting)
                self._waiting.clear()
                self.say(reachable=False, why=f"{lost} announcements lost: {error!r}")
            else:
                self.say(reachable=True)

    def say(self, *, reachable: bool, why: str = "") -> None:
        """Log the channel layer's going and coming, once each."""
        if self.reachable and not reachable:
            logger.warning("The channel layer is away; members of other processes are served by polling. %s", why)
        elif reachable and not self.reachable:
            logger.warning("The channel layer is back.")
        self.reachable = reachable


bell = Doorbell()
