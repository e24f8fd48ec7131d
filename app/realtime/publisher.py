"""Telling every process that a stream has moved.

Only a doorbell: an announcement may be lost, late or doubled; each process's hub notices by the numbers and reads
the database. So nothing here waits, and nothing here fails a command that is already committed.
"""

import asyncio
import atexit
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from channels.layers import get_channel_layer
from django.db import transaction

from realtime.metrics import LOST

logger = logging.getLogger(__name__)

Announcement = dict[str, Any]  # type, stream; events as (seq, text, drop), and `at`; or the text of what passes
Hear = Callable[[Announcement], None]

EVERYBODY = "everybody"  # the group that each process is in
WAITING = 10_000  # announcements held while Redis is slow; the oldest are forgotten first
PATIENCE = 3  # seconds for one announcement to leave


class Change(Protocol):
    """A lasting change: number `seq` of its stream, as JSON. `drop`: the key of members that it takes out."""

    @property
    def seq(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def drop(self) -> int | None: ...


def publish_events(stream: str, changes: Iterable[Change]) -> None:
    """Once the running transaction is committed, tell everybody of these changes of the stream."""
    events = [(change.seq, change.text, change.drop) for change in changes]
    announcement = {"type": "events", "stream": stream, "events": events, "at": time.time()}
    transaction.on_commit(partial(publisher.publish, announcement))


def publish_ephemeral(stream: str, text: str) -> None:
    """Now, to whoever listens, and never again: `text` (a whole frame) is about this moment."""
    publisher.publish({"type": "ephemeral", "stream": stream, "text": text})


def notify_user(key: int, text: str | None = None) -> None:
    """Once the running transaction is committed, reach all sockets of one user: send them `text` (a whole frame), or
    without it let them see whether their user is still signed in. Like a whisper, it may get lost.
    """
    transaction.on_commit(partial(publisher.publish, {"type": "call", "stream": EVERYBODY, "key": key, "text": text}))


class Line:
    """An event loop's way out: a queue, and one task that empties it over one long-lived connection."""

    def __init__(self, bell: "Publisher", loop: asyncio.AbstractEventLoop, hear: Hear | None) -> None:
        self._bell = bell
        self.loop = loop
        self._hear = hear
        self._waiting: deque[Announcement] = deque(maxlen=WAITING)
        self._task: asyncio.Task[None] | None = None

    def accept(self, announcement: Announcement) -> None:
        """Runs in the loop."""
        if self._hear is not None and "events" in announcement:
            self._hear(announcement)
        self._waiting.append(announcement)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._empty())

    async def emptied(self) -> None:
        """What was accepted has left, or is lost."""
        if self._task is not None:
            await self._task

    async def _empty(self) -> None:
        layer = get_channel_layer()
        while self._waiting:
            announcement = self._waiting.popleft()
            try:
                async with asyncio.timeout(PATIENCE):  # not wait_for, which makes a task each time
                    await layer.group_send(announcement["stream"], announcement)
            except Exception as error:  # whatever a layer raises when its server is away
                # Those who wait are as late as this one: the hubs' poll will be there before us.
                lost = 1 + len(self._waiting)
                self._waiting.clear()
                LOST.inc(lost)
                self._bell.say(reachable=False, why=f"{lost} announcements lost: {error!r}")
            else:
                self._bell.say(reachable=True)


class Publisher:
    """One per process."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._lock = threading.Lock()
        self.reachable = True

    def attach(self, hear: Hear) -> None:
        """Use the running loop, and tell the hub in it first: its own members need no Redis."""
        with self._lock:
            self._line = Line(self, asyncio.get_running_loop(), hear)

    def publish(self, announcement: Announcement) -> None:
        """Announce from any thread. Returns at once, never raises."""
        line = self._current_line()
        with contextlib.suppress(RuntimeError):  # the loop was closed this very moment: the process ends
            line.loop.call_soon_threadsafe(line.accept, announcement)

    def _current_line(self) -> Line:
        with self._lock:
            if self._line is None or self._line.loop.is_closed():
                # A process that serves no sockets (gunicorn, a command) has no loop: it gets one, for good.
                loop = asyncio.new_event_loop()
                self._line = Line(self, loop, None)
                thread = threading.Thread(target=loop.run_forever, name="doorbell", daemon=True)
                thread.start()
                atexit.register(_hang_up, self._line, thread)
            return self._line

    def say(self, *, reachable: bool, why: str = "") -> None:
        """Log the channel layer's going and coming, once each."""
        if self.reachable and not reachable:
            logger.warning("The channel layer is away; members of other processes are served by polling. %s", why)
        elif reachable and not self.reachable:
            logger.warning("The channel layer is back.")
        self.reachable = reachable


def _hang_up(line: Line, thread: threading.Thread) -> None:
    """A command ends as soon as it is done. What it rang is heard all the same; and Python, which cannot end while a
    thread is at work (it aborts), finds none.
    """
    with contextlib.suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(line.emptied(), line.loop).result(PATIENCE + 1)
    line.loop.call_soon_threadsafe(line.loop.stop)
    thread.join()


publisher = Publisher()
