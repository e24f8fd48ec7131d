"""Publishes to every process that the events of a stream have changed.

An announcement only notifies: it may be lost, late or doubled. The hub of each process notices that by the sequence
numbers and reads the database. So publishing never waits, and never fails a command that is already committed.
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
from typing import Literal, Protocol, TypedDict

from channels.layers import get_channel_layer
from django.db import transaction

from .metrics import ANNOUNCEMENTS_LOST

logger = logging.getLogger(__name__)

ALL_PROCESSES_GROUP = "everybody"  # the channel-layer group of all hubs
MAX_QUEUED_ANNOUNCEMENTS = 10_000  # while Redis is slow; the oldest are dropped first
SEND_TIMEOUT_SECONDS = 3  # of one announcement


class EventsAnnouncement(TypedDict):
    """New events of a stream; `at` is when they were stored, as time.time()."""

    type: Literal["events"]
    stream: str
    events: list[tuple[int, str, int | None]]  # seq, JSON text, removed member: see channels_realtime.stream.Event
    at: float


class EphemeralAnnouncement(TypedDict):
    """An ephemeral event for the members of a stream; `text` is the whole message."""

    type: Literal["ephemeral"]
    stream: str
    text: str


class UserAnnouncement(TypedDict):
    """A message for all sockets of the user with this key; without a text, their sessions are checked again."""

    type: Literal["call"]  # the name that the release before knows
    stream: str  # ALL_PROCESSES_GROUP
    key: int
    text: str | None


class ProbeAnnouncement(TypedDict):
    """Nothing: a hub sends it to itself to find out whether the channel layer works again."""

    type: Literal["probe"]
    stream: str  # empty


Announcement = EventsAnnouncement | EphemeralAnnouncement | UserAnnouncement | ProbeAnnouncement
Receiver = Callable[[Announcement], None]


class Change(Protocol):
    """A lasting change of a stream."""

    @property
    def seq(self) -> int:
        """The number of the change in its stream."""

    @property
    def text(self) -> str:
        """The change as JSON."""

    @property
    def removed_member(self) -> int | None:
        """The key of the members that leave the stream with this change."""


def publish_events(stream: str, changes: Iterable[Change]) -> None:
    """Publish these changes of the stream after the running transaction is committed."""
    events = [(change.seq, change.text, change.removed_member) for change in changes]
    announcement = EventsAnnouncement(type="events", stream=stream, events=events, at=time.time())
    transaction.on_commit(partial(publisher.publish, announcement))


def publish_ephemeral(stream: str, text: str) -> None:
    """Publish an ephemeral message to the members of the stream at once. It is not stored and may be lost.

    Args:
        stream: The stream's name.
        text: The whole WebSocket message.
    """
    publisher.publish(EphemeralAnnouncement(type="ephemeral", stream=stream, text=text))


def notify_user(key: int, text: str | None = None) -> None:
    """Reach all sockets of one user after the running transaction is committed. The notice may be lost.

    Args:
        key: The user's primary key.
        text: The whole WebSocket message to send; without it each socket checks whether its session is still valid.
    """
    announcement = UserAnnouncement(type="call", stream=ALL_PROCESSES_GROUP, key=key, text=text)
    transaction.on_commit(partial(publisher.publish, announcement))


class OutboundQueue:
    """The announcements of one event loop on their way to Redis: a queue, and one task that sends."""

    def __init__(self, owner: "Publisher", loop: asyncio.AbstractEventLoop, receiver: Receiver | None) -> None:
        """Create the queue of `loop`; `receiver` gets the announcements of this process without a way over Redis."""
        self.loop = loop
        self._publisher = owner
        self._receiver = receiver
        self._queue: deque[Announcement] = deque(maxlen=MAX_QUEUED_ANNOUNCEMENTS)
        self._task: asyncio.Task[None] | None = None

    def add(self, announcement: Announcement) -> None:
        """Queue an announcement. Runs in the event loop."""
        if self._receiver is not None and announcement["type"] == "events":
            self._receiver(announcement)
        self._queue.append(announcement)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._send_queued())

    def stop_loop_when_sent(self) -> None:
        """Stop the event loop as soon as everything that was queued is sent or lost. Runs in the event loop."""
        if self._task is None or self._task.done():
            self.loop.stop()
        else:
            self._task.add_done_callback(lambda _: self.loop.stop())

    async def _send_queued(self) -> None:
        layer = get_channel_layer()
        while self._queue:
            announcement = self._queue.popleft()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):  # not wait_for, which creates a task each time
                    await layer.group_send(announcement["stream"], announcement)
            except Exception as error:  # whatever a layer raises when its server is away
                # The queued ones are as late as this one: the hubs will have read the database before they arrive.
                lost = 1 + len(self._queue)
                self._queue.clear()
                ANNOUNCEMENTS_LOST.inc(lost)
                self._publisher.set_reachable(reachable=False, reason=f"{lost} announcements lost: {error!r}")
            else:
                self._publisher.set_reachable(reachable=True)


class Publisher:
    """Sends the announcements of this process to the channel layer, from any thread.

    Attributes:
        is_reachable: Whether the channel layer took the last announcement.
    """

    def __init__(self) -> None:
        self._queue: OutboundQueue | None = None
        self._thread: PublisherThread | None = None  # the owner of the queue, in a process without an event loop
        self._lock = threading.Lock()
        self.is_reachable = True

    def attach(self, receiver: Receiver) -> None:
        """Send from the running event loop, and give events to `receiver`, the hub of this process, directly.

        A thread that sent before this call sends what it has, and ends.
        """
        with self._lock:
            self._queue = OutboundQueue(self, asyncio.get_running_loop(), receiver)
            if self._thread is not None:
                self._thread.finish()
                self._thread = None

    def publish(self, announcement: Announcement) -> None:
        """Queue an announcement, from any thread. Returns at once and never raises."""
        queue = self._current_queue()
        with contextlib.suppress(RuntimeError):  # the loop was closed at this moment: the process ends
            queue.loop.call_soon_threadsafe(queue.add, announcement)

    def _current_queue(self) -> OutboundQueue:
        with self._lock:
            if self._queue is None or self._queue.loop.is_closed():
                # A process without sockets (gunicorn, a management command) has no event loop: start one in a thread.
                self._thread = PublisherThread(self)
                self._queue = self._thread.queue
                self._thread.start()
            return self._queue

    def set_reachable(self, *, reachable: bool, reason: str = "") -> None:
        """Remember whether the channel layer can be reached, and log each change once."""
        if self.is_reachable and not reachable:
            logger.warning("The channel layer is away; members of other processes are served by polling. %s", reason)
        elif reachable and not self.is_reachable:
            logger.warning("The channel layer is back.")
        self.is_reachable = reachable


class PublisherThread(threading.Thread):
    """A thread with an event loop that sends the announcements of a process without sockets.

    Attributes:
        queue: The queue that the thread sends.
    """

    def __init__(self, owner: Publisher) -> None:
        """Create the thread and its event loop; `start()` begins to send."""
        super().__init__(name="publisher", daemon=True)
        self.queue = OutboundQueue(owner, asyncio.new_event_loop(), None)

    def start(self) -> None:
        """Begin to send. What is queued when the process ends is sent before it ends."""
        super().start()
        atexit.register(self._finish_at_exit)

    def run(self) -> None:
        """Send until `finish()`, then close the event loop."""
        self.queue.loop.run_forever()
        self.queue.loop.close()

    def finish(self) -> None:
        """Let the thread send what is queued, and end. Returns at once."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the thread has ended
            self.queue.loop.call_soon_threadsafe(self.queue.stop_loop_when_sent)
        atexit.unregister(self._finish_at_exit)

    def _finish_at_exit(self) -> None:
        """Send what a management command published as its last act, and wait for the end of the thread.

        Python aborts if a daemon thread is at work while the interpreter ends.
        """
        self.finish()
        self.join(SEND_TIMEOUT_SECONDS + 1)
        if self.is_alive():  # Redis is slow, and the queue is long
            with contextlib.suppress(RuntimeError):  # the loop was closed at this moment
                self.queue.loop.call_soon_threadsafe(self.queue.loop.stop)
            self.join()


publisher = Publisher()
