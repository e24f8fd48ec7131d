"""One stream in this process: it puts events in order and delivers them to the members that are connected here."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from .conf import options
from .frames import Frame, events_frame
from .metrics import DELIVERIES, DELIVERY_SECONDS
from .rate_limit import TokenBucket

# Coalescing: a stream with more events a second than this sends them in shared frames, at most 50 ms apart. Below it,
# every event leaves at once.
FRAMES_PER_SECOND = 20
FRAME_BURST = 5
COMMIT_SECONDS = 0.01  # that a batch of posts usually takes
CHUNK_SIZE = 500  # members that get a frame before other tasks run: some 5 ms


class Event(NamedTuple):
    """A lasting change of a stream.

    Attributes:
        seq: Its number in the stream; the first is 1 and there are no gaps.
        text: The event as JSON.
        removed_member: The key of the members that leave the stream with it, or None.
    """

    seq: int
    text: str
    removed_member: int | None = None


class Writer(Protocol):
    """Takes the frames of a member: see channels_realtime.frames.FrameWriter."""

    def write(self, frame: Frame) -> None:
        """Send the frame after all earlier ones, without waiting."""


class Member(Protocol):
    """A connection as the hub sees it. None of its methods waits."""

    key: int  # of the user
    event_writer: Writer  # for the frames of streams

    def send_droppable(self, frame: Frame) -> None:
        """Send an ephemeral frame, or drop it."""

    def on_removed(self, stream: str, event: Event) -> None:
        """The member was taken out of the stream by this event, which it has received."""

    def on_stream_lost(self, stream: str) -> None:
        """The stream cannot be continued from what the member has: it must join again."""


class Delivery:
    """Delivers the events of one stream to its members: each frame is encoded once, and sent in chunks of members.

    Attributes:
        members: The members in the order of their joins, with their writers. In a large room each object that is
            touched for each member costs as much as the call.
        ready: Events that are in order and not sent yet. `schedule_flush` sends them.
        pending_joins: For each member that is joining, the events that were sent since it began.
        oldest_at: When the oldest announced event in `ready` was stored, as time.time(), or None.
        join_count: Joins so far.
    """

    def __init__(self, stream: str) -> None:
        """Deliver the events of the stream with this name."""
        self.stream = stream
        self.members: dict[Member, Writer] = {}
        self.ready: list[Event] = []
        self.pending_joins: list[list[Event]] = []
        self.oldest_at: float | None = None
        self.join_count = 0
        self._join_order: dict[Member, int] = {}  # a member that left and joined again has another number
        self._is_iterating = False  # a flush iterates over `members`: copy the dict before it changes
        self._flush: Iterator[None] | None = None  # running or scheduled
        self._flush_at = 0.0  # by the loop's clock
        self._frame_rate = TokenBucket(FRAMES_PER_SECOND, FRAME_BURST)

    def add(self, member: Member, missed: Sequence[Event]) -> None:
        """Add a member that has received every event up to now except `missed`, and send it those."""
        self.remove(member)
        self._copy_if_iterating()
        self.join_count += 1
        self.members[member], self._join_order[member] = member.event_writer, self.join_count
        for _ in self._send({member: member.event_writer}, missed):
            pass

    def remove(self, member: Member) -> None:
        """Send the member nothing more."""
        if member in self.members:
            self._copy_if_iterating()
            del self.members[member], self._join_order[member]

    def clear(self) -> list[Member]:
        """Remove all members and return them."""
        members = list(self.members)
        self.members, self._join_order, self._is_iterating = {}, {}, False
        return members

    def _copy_if_iterating(self) -> None:
        if self._is_iterating:
            self.members, self._is_iterating = dict(self.members), False

    def send_ephemeral(self, text: str) -> None:
        """Send a whole message to each member that reads fast enough, at once."""
        frame = Frame(text)
        for member in self.members:
            member.send_droppable(frame)

    def coalescing_delay(self) -> float:
        """Return the seconds that a change may wait before it is stored and still leave in the next possible frame."""
        if not options().coalesce:
            return 0
        left = 0.0 if self._flush is None else self._flush_at - asyncio.get_running_loop().time()
        # In the frame that is scheduled, if there is time to commit before it leaves, otherwise in the one after it.
        delay = left if left >= COMMIT_SECONDS else self._frame_rate.peek()
        return max(0.0, delay - COMMIT_SECONDS)

    def note_announced(self, stored_at: float | None) -> None:
        """Remember when an announced event was stored (time.time()), to measure how long its delivery takes."""
        self.oldest_at = self.oldest_at or stored_at

    def schedule_flush(self) -> None:
        """Send `ready` at the end of this turn of the event loop, or as soon as the frame rate allows."""
        if self._flush is None:
            self._flush = self._send_ready()
            wait = self._frame_rate.reserve() if options().coalesce else 0
            loop = asyncio.get_running_loop()
            self._flush_at = loop.time() + wait
            loop.call_later(wait, self._send_chunk, self._flush)

    def flush_now(self) -> None:
        """Send everything in `ready` before returning."""
        while self._flush is not None or self.ready:  # a stream that is opening has events ready and no flush
            for _ in self._flush or self._send_ready():
                pass
            self._flush = None

    def _send_chunk(self, flush: Iterator[None]) -> None:
        """Send one chunk, then let other tasks run."""
        if self._flush is not flush:
            return  # flush_now has sent it
        try:
            next(flush)
        except StopIteration:
            self._flush = None
            if self.ready:
                self.schedule_flush()
        else:
            asyncio.get_running_loop().call_soon(self._send_chunk, flush)

    def _send_ready(self) -> Iterator[None]:
        events, self.ready = self.ready, []
        oldest_at, self.oldest_at = self.oldest_at, None
        for held in self.pending_joins:
            held.extend(events)
        self._is_iterating = True
        yield from self._send(self.members, events)
        self._is_iterating = False
        if oldest_at is not None:
            DELIVERY_SECONDS.observe(max(0.0, time.time() - oldest_at))  # another machine's clock may be ahead

    def _send(self, members: Mapping[Member, Writer], events: Sequence[Event]) -> Iterator[None]:
        """Send the events to these members; yields between two chunks of them.

        All events share one frame, except that a frame ends with an event that removes a member.
        """
        start, join_count = 0, self.join_count
        for end, event in enumerate(events, 1):
            if event.removed_member is None and end < len(events):
                continue
            frame = events_frame([event.text for event in events[start:end]])
            DELIVERIES.inc((end - start) * len(members))
            start = end
            writers = iter(members.values())
            for first in range(0, len(members), CHUNK_SIZE):
                if first:
                    yield
                if self.members is members:
                    for writer in islice(writers, CHUNK_SIZE):
                        writer.write(frame)
                else:  # a member has joined or left since: skip those that left. zip ends with its shorter argument
                    for member, writer in zip(islice(members, first, first + CHUNK_SIZE), writers, strict=False):
                        if self._join_order.get(member, join_count + 1) <= join_count:
                            writer.write(frame)
            if event.removed_member is not None:  # it receives this event, and nothing after
                for member in [member for member in members if member.key == event.removed_member]:
                    if self._join_order.get(member, join_count + 1) <= join_count:
                        self.remove(member)
                        member.on_removed(self.stream, event)


class Stream:
    """A stream with members in this process.

    Attributes:
        name: The name that all processes use.
        label: The name that clients use, or an empty string.
        epoch: The epoch in which the sequence numbers are valid.
        last: The sequence number up to which everything was handed to `delivery`.
        known: The highest sequence number that was announced or read; above `last`, something is missing.
        early: Events that arrived before their predecessors, by sequence number.
        opening: Done when `epoch` and `last` are read.
        filling: The task that reads a gap from the database, if there is one.
    """

    def __init__(self, name: str, label: str) -> None:
        self.name = name
        self.label = label
        self.epoch = ""
        self.last = -1
        self.known = -1
        self.early: dict[int, Event] = {}
        self.delivery = Delivery(name)
        self.opening: asyncio.Future[None]
        self.filling: asyncio.Task[None] | None = None

    @property
    def is_unused(self) -> bool:
        """Whether it has no member and no pending join."""
        return not self.delivery.members and not self.delivery.pending_joins

    def add_events(self, events: Sequence[Event]) -> bool:
        """Put announced events in their order. Returns whether events became ready to be sent."""
        self.known = max(self.known, *(event.seq for event in events))
        self.early |= {event.seq: event for event in events if event.seq > self.last}
        return self._take_consecutive()

    def advance(self, events: list[Event], head: int) -> bool:
        """Continue with what the database has up to sequence number `head`.

        Args:
            events: In order. An event whose row changed again later is missing: the later event contains it.
            head: The stream's newest sequence number when they were read.

        Returns:
            Whether the stream advanced.
        """
        before = self.last
        self.delivery.ready += [event for event in events if event.seq > before]
        self.last = max(before, head)
        self.known = max(self.known, self.last)
        self.early = {seq: event for seq, event in self.early.items() if seq > self.last}
        return self._take_consecutive() or self.last > before

    def _take_consecutive(self) -> bool:
        before = self.last
        while event := self.early.pop(self.last + 1, None):
            self.delivery.ready.append(event)
            self.last = event.seq
        return self.last > before
