"""From one announcement to every connection of this process, in order and without a gap.

There is one hub per process, with one channel that is in the channel-layer group of each stream that has members here.
The event after the last one is delivered, an earlier one is dropped; above a gap the hub waits a moment and then reads
the database once for all members. Every few seconds it compares its streams with the database, so nothing stays lost,
with Redis or without.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterator
from contextvars import Context
from typing import Any, NamedTuple, Protocol

from channels.layers import get_channel_layer

from .metrics import GAPS_FILLED
from .publisher import (
    ALL_PROCESSES_GROUP,
    Announcement,
    EphemeralAnnouncement,
    EventsAnnouncement,
    ProbeAnnouncement,
    publisher,
)
from .stream import Delivery, Event, Member, Stream
from .user_sockets import UserSockets

logger = logging.getLogger(__name__)

POLL_INTERVAL_SECONDS = 3
GAP_WAIT_SECONDS = 0.05  # a gap may be two announcements that arrive in the wrong order
CLOSE_TIMEOUT_SECONDS = 1  # for the channel layer, when the hub closes
GROUPS_REFRESH_SECONDS = 3600  # the core layer of channels_redis forgets a member of a group after a day


class Source(Protocol):
    """Where the events of streams are stored. Both methods may raise while the database is away."""

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        """Return the epoch, and the newest sequence number of each of these streams that exists."""

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        """Return the events above `seq` up to `head`, in order, or None when they are too many or not all stored."""


class Position(Protocol):
    """How far a snapshot of a stream goes: it contains everything up to sequence number `head` of `epoch`."""

    @property
    def epoch(self) -> str:
        """The epoch of the sequence numbers."""

    @property
    def head(self) -> int:
        """The sequence number of the last event that the snapshot contains."""


class StreamMembers(NamedTuple):
    """A stream and its members in this process."""

    name: str
    label: str
    members: list[Member]


class StreamLost(Exception):
    """The stream cannot be continued: join it again."""


class PendingJoin:
    """A member that is joining a stream. Use it as `Hub.joining` says."""

    def __init__(self, hub: "Hub", stream: Stream, held: list[Event]) -> None:
        self._hub = hub
        self._stream = stream
        self._held = held
        self._head = -1

    async def wait_until_open(self) -> None:
        """Wait until the stream receives announcements. Raises StreamLost, and what the source raises."""
        await asyncio.shield(self._stream.opening)

    async def catch_up(self, position: Position) -> None:
        """Bring the stream, and all its members, at least up to a snapshot that was read after `wait_until_open`.

        Raises:
            StreamLost: The stream began anew since. What the source raises is raised as well.
        """
        await self._hub.advance_to(self._stream, position)
        self._head = position.head

    def complete(self, member: Member) -> None:
        """Make the member part of the stream: it gets each event above the snapshot.

        Nothing may be awaited between `catch_up` and this call, or an event could be missed.
        """
        self._stream.delivery.add(member, [event for event in self._held if event.seq > self._head])


class Hub:
    """All streams of this process."""

    def __init__(self, source: Source) -> None:
        """Serve streams that `source` stores. Needs a running event loop."""
        self._source = source
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self.users = UserSockets()
        self._streams: dict[str, Stream] = {}
        self._labels: dict[str, str] = {}  # label -> name of a stream in _streams
        self._groups: set[str] = set()  # that our channel is in
        self._groups_lock = asyncio.Lock()
        self._groups_refreshed_at = asyncio.get_running_loop().time()
        self._is_closing = False
        self._tasks: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references
        publisher.attach(self.receive)
        self._create_task(self._sync_groups([ALL_PROCESSES_GROUP]))
        self._create_task(self._poll())

    # --- Members join and leave

    @contextlib.contextmanager
    def joining(self, name: str, label: str = "") -> Iterator[PendingJoin]:
        """Begin to join the stream: until the end of the block its events are held back for the new member.

            with hub.joining(name) as join:
                await join.wait_until_open()
                snapshot = await load_snapshot()
                await join.catch_up(snapshot)
                send(snapshot)
                join.complete(member)

        Args:
            name: The stream's name.
            label: The name by which clients know it: see `stream_named`.
        """
        stream = self._streams.get(name) or self._open(name, label)
        held: list[Event] = []
        stream.delivery.pending_joins.append(held)
        try:
            yield PendingJoin(self, stream, held)
        finally:
            stream.delivery.pending_joins = [other for other in stream.delivery.pending_joins if other is not held]

    async def advance_to(self, stream: Stream, position: Position) -> None:
        """Bring a stream up to this position and send everything. Raises StreamLost."""
        if position.epoch != stream.epoch:
            self._reset(stream)
        stream.known = max(stream.known, position.head)
        while stream.last < position.head and self._is_current(stream):
            await asyncio.shield(self._start_filling(stream))
        if not self._is_current(stream):
            raise StreamLost(stream.name)
        stream.delivery.flush_now()

    def leave(self, name: str, member: Member) -> None:
        """Send the member nothing more of this stream."""
        if stream := self._streams.get(name):
            stream.delivery.remove(member)

    def stream_named(self, label: str) -> str | None:
        """Return the name of the open stream with this label, or None."""
        return self._labels.get(label)

    def heads(self, names: Collection[str]) -> dict[str, int]:
        """Return up to which sequence number the members of each of these streams have everything."""
        return {name: stream.last for name in names if (stream := self._streams.get(name))}

    def members_by_stream(self) -> list[StreamMembers]:
        """Return each stream of this process with its members."""
        return [
            StreamMembers(name, stream.label, list(stream.delivery.members)) for name, stream in self._streams.items()
        ]

    def delivery(self, name: str) -> Delivery | None:
        """Return the delivery of an open stream, or None."""
        return stream.delivery if (stream := self._streams.get(name)) else None

    def coalescing_delay(self, name: str | None) -> float:
        """Return the seconds that a change of this stream should wait for others: see Delivery.coalescing_delay."""
        return stream.delivery.coalescing_delay() if (stream := self._streams.get(name or "")) else 0

    def _open(self, name: str, label: str) -> Stream:
        stream = self._streams[name] = Stream(name, label)
        if label:
            self._labels[label] = name
        stream.opening = self._create_task(self._start(stream))
        return stream

    def _forget(self, stream: Stream) -> None:
        if self._is_current(stream):
            del self._streams[stream.name]
        if self._labels.get(stream.label) == stream.name:
            del self._labels[stream.label]

    def _is_current(self, stream: Stream) -> bool:
        return self._streams.get(stream.name) is stream

    async def _start(self, stream: Stream) -> None:
        try:
            # First the group, then the head: later events are announced to us, earlier ones are in the head.
            if publisher.is_reachable:
                await self._sync_groups([stream.name])
            stream.epoch, heads = await self._source.heads([stream.name])
            if stream.name not in heads:
                raise StreamLost(stream.name)  # noqa: TRY301  handled as any other failure
            stream.advance([], heads[stream.name])
        except BaseException:
            self._forget(stream)
            raise

    # --- Events arrive

    def receive(self, announcement: Announcement) -> None:
        """Handle an announcement, from Redis or from this process. It may be late, doubled, or of no interest here."""
        match announcement["type"]:
            case "call":
                self.users.dispatch(announcement)
            case "ephemeral":
                self._receive_ephemeral(announcement)
            case "events":
                self._receive_events(announcement)

    def _receive_ephemeral(self, announcement: EphemeralAnnouncement) -> None:
        if stream := self._streams.get(announcement["stream"]):
            stream.delivery.send_ephemeral(announcement["text"])

    def _receive_events(self, announcement: EventsAnnouncement) -> None:
        if (stream := self._streams.get(announcement["stream"])) is None:
            return
        has_ready_events = stream.add_events([Event(*event) for event in announcement["events"]])
        has_gap = stream.known > stream.last
        if has_ready_events or has_gap:
            stream.delivery.note_announced(announcement.get("at"))
        if has_ready_events:
            stream.delivery.schedule_flush()
        if has_gap:
            self._start_filling(stream)

    def _start_filling(self, stream: Stream) -> asyncio.Task[None]:
        if stream.filling is None or stream.filling.done():
            stream.filling = self._create_task(self._fill_gap(stream))
        return stream.filling

    async def _fill_gap(self, stream: Stream) -> None:
        await asyncio.sleep(GAP_WAIT_SECONDS)
        await asyncio.shield(stream.opening)
        if stream.known <= stream.last:
            return  # the announcements had only arrived in the wrong order
        since = stream.last
        epoch, heads = await self._source.heads([stream.name])
        head = heads.get(stream.name, -1)
        events = await self._source.since(stream.name, since, head) if epoch == stream.epoch and head >= since else None
        if events is None:
            self._reset(stream)
        elif stream.advance(events, head):
            GAPS_FILLED.inc()
            stream.delivery.schedule_flush()

    def _reset(self, stream: Stream) -> None:
        """Close a stream that cannot be continued: each member joins again and gets a new snapshot."""
        self._forget(stream)
        for member in stream.delivery.clear():
            member.on_stream_lost(stream.name)

    # --- The channel layer, and what replaces it while it is away

    async def _sync_groups(self, names: Collection[str]) -> None:
        """Join or leave these groups as needed. Never raises; the poll tries again."""
        async with self._groups_lock:
            desired = self._desired_groups()
            try:
                if self._channel is None:
                    self._channel = await self._layer.new_channel()
                    self._create_task(self._listen(self._channel))
                if not publisher.is_reachable:  # is it back? Joining and leaving may need no answer from Redis
                    await self._layer.send(self._channel, ProbeAnnouncement(type="probe", stream=""))
                for name in names:
                    if name in desired and name not in self._groups:
                        await self._layer.group_add(name, self._channel)
                        self._groups.add(name)
                    elif name not in desired and name in self._groups:
                        self._groups.discard(name)
                        await self._layer.group_discard(name, self._channel)
            except Exception as error:  # whatever a layer raises when its server is away
                publisher.set_reachable(reachable=False, reason=repr(error))
            else:
                publisher.set_reachable(reachable=True)

    def _desired_groups(self) -> set[str]:
        return {*self._streams} if self._is_closing else {ALL_PROCESSES_GROUP, *self._streams}

    async def _listen(self, channel: str) -> None:
        while True:
            try:
                announcement = await self._layer.receive(channel)
            except Exception as error:  # the layer's server is away; a layer that stores groups there has lost them
                publisher.set_reachable(reachable=False, reason=repr(error))
                self._groups.clear()
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
                continue
            try:
                self.receive(announcement)
            except Exception as error:  # another release may have sent it: the poll finds what it announced
                logger.warning("Could not handle an announcement: %r", error)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            for stream in list(self._streams.values()):
                if stream.is_unused:
                    self._forget(stream)
            try:
                await self._compare_heads()
            except Exception as error:  # the database is away: the next poll will tell
                logger.warning("Could not compare %d streams with the database: %r", len(self._streams), error)
            now = asyncio.get_running_loop().time()
            if now - self._groups_refreshed_at > GROUPS_REFRESH_SECONDS:
                self._groups_refreshed_at = now
                self._groups.clear()
            if not publisher.is_reachable or self._groups != self._desired_groups():
                await self._sync_groups(sorted(self._groups ^ self._desired_groups()))

    async def _compare_heads(self) -> None:
        lasts = {stream: stream.last for stream in self._streams.values() if stream.last >= 0}
        if not lasts:
            return
        epoch, heads = await self._source.heads([stream.name for stream in lasts])
        for stream, last in lasts.items():
            head = heads.get(stream.name, -1)
            if epoch != stream.epoch or head < last:  # the database was restored from a backup
                self._reset(stream)
            elif head > stream.last:
                stream.known = max(stream.known, head)
                self._start_filling(stream)

    def _create_task(self, work: Any) -> asyncio.Task[Any]:
        # It serves all members, whichever command was the first to need it: no log line of it names that command.
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)
        return task

    async def close(self) -> None:
        """Stop, and leave every group."""
        self._is_closing = True
        self._streams.clear()
        self._labels.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._sync_groups(set(self._groups)), CLOSE_TIMEOUT_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _log_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.warning("The hub could not finish %s: %r", task.get_coro(), error)
