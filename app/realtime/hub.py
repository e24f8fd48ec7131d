"""From one announcement to every socket of this process, in order, without a hole.

One hub per process: one channel, joined to the group of each stream that has members here. The event after the last
one is delivered, a smaller one dropped; above a hole the hub waits a moment, then reads the database once for all.
Every few seconds it compares the heads of its streams with the database: so nothing stays lost, Redis or not.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context
from typing import Any, Protocol, TypeVar

from channels.layers import get_channel_layer

from realtime.delivery import Delivery, Event, Member
from realtime.metrics import GAPS
from realtime.publisher import EVERYBODY, Announcement, publisher
from realtime.stream import Stream
from realtime.user_sockets import People

logger = logging.getLogger(__name__)

POLL_SECONDS = 3
GAP_SECONDS = 0.05  # how long a hole may be just two announcements in the wrong order


class Source(Protocol):
    """Where streams are kept. Its methods may raise when the database is away."""

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        """The epoch of all numbers, and the newest number of each stream."""

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        """What changed above seq up to head, in order; None when that is too much to tell."""

    def frame(self, texts: Sequence[str]) -> str:
        """One frame that holds these events."""


class Position(Protocol):
    """How complete a look into a stream is: everything up to `head`, in `epoch`."""

    @property
    def epoch(self) -> str: ...
    @property
    def head(self) -> int: ...


Found = TypeVar("Found", bound=Position)


class StreamLost(Exception):
    """The stream cannot be continued: join it again."""


class Hub:
    """All streams of this process."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self.people = People()
        self._streams: dict[str, Stream] = {}
        self._groups: set[str] = set()  # whose announcements our channel gets
        self._grouping = asyncio.Lock()
        self._closing = False
        self._tasks: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references
        publisher.attach(self.hear)
        self._spawn(self._regroup([EVERYBODY]))
        self._spawn(self._poll())

    # --- members come and go

    async def join(
        self, name: str, member: Member, look: Callable[[], Awaitable[Found]], greet: Callable[[Found], None]
    ) -> None:
        """Make the member part of the stream: `look` around, `greet` it with that, then every event after it.

        Raises StreamLost when the stream began anew meanwhile, and what `look` and the source raise.
        """
        stream = self._streams.get(name) or self._open(name)
        held: list[Event] = []
        stream.delivery.holds.append(held)
        try:
            await asyncio.shield(stream.opening)
            found = await look()
            if found.epoch != stream.epoch:
                self._lose(stream)
            stream.known = max(stream.known, found.head)
            while stream.last < found.head and self._carries(stream):
                await asyncio.shield(self._fill_soon(stream))
            if not self._carries(stream):
                raise StreamLost(name)
            stream.delivery.finish()
            greet(found)
            stream.delivery.add(member, [event for event in held if event.seq > found.head])
        finally:
            stream.delivery.holds = [hold for hold in stream.delivery.holds if hold is not held]

    def leave(self, name: str, member: Member) -> None:
        """Nothing of the stream reaches the member any more."""
        if stream := self._streams.get(name):
            stream.delivery.remove(member)

    def heads(self, names: Collection[str]) -> dict[str, int]:
        """How far the members of these streams are."""
        return {name: stream.last for name in names if (stream := self._streams.get(name))}

    def places(self) -> list[tuple[str, list[Member]]]:
        """Each stream of this process, with its members."""
        return [(name, list(stream.delivery.members)) for name, stream in self._streams.items()]

    def delivery(self, name: str) -> Delivery | None:
        return stream.delivery if (stream := self._streams.get(name)) else None

    def patience(self, name: str) -> float:
        """Seconds for which a change of the stream had better wait for others: see Delivery.patience."""
        return stream.delivery.patience() if (stream := self._streams.get(name)) else 0

    def _open(self, name: str) -> Stream:
        stream = self._streams[name] = Stream(name, self._source.frame)
        stream.opening = self._spawn(self._start(stream))
        return stream

    def _carries(self, stream: Stream) -> bool:
        return self._streams.get(stream.name) is stream

    async def _start(self, stream: Stream) -> None:
        try:
            # First the group, then the head: what is announced after is heard, what was before is in the head.
            if publisher.reachable:
                await self._regroup([stream.name])
            stream.epoch, heads = await self._source.heads([stream.name])
            if stream.name not in heads:
                raise StreamLost(stream.name)  # noqa: TRY301  to be forgotten like any other failure
            stream.jump([], heads[stream.name])
        except BaseException:
            self._streams.pop(stream.name, None)
            raise

    # --- events come in

    def hear(self, announcement: Announcement) -> None:
        """Take an announcement, from Redis or from this very process; it may be late, doubled or unasked for."""
        if announcement["stream"] == EVERYBODY:
            self.people.hear(announcement)
            return
        if (stream := self._streams.get(announcement["stream"])) is None:
            return
        if "events" not in announcement:
            stream.delivery.whisper(announcement["text"])
            return
        if stream.take([Event(*event) for event in announcement["events"]]):
            stream.delivery.announced(announcement.get("at"))
            stream.delivery.soon()
        if stream.known > stream.last:
            stream.delivery.announced(announcement.get("at"))
            self._fill_soon(stream)

    def _fill_soon(self, stream: Stream) -> asyncio.Task[None]:
        if stream.filling is None or stream.filling.done():
            stream.filling = self._spawn(self._fill(stream))
        return stream.filling

    async def _fill(self, stream: Stream) -> None:
        await asyncio.sleep(GAP_SECONDS)
        await asyncio.shield(stream.opening)
        if stream.known <= stream.last:
            return  # it was only the order
        since = stream.last
        epoch, heads = await self._source.heads([stream.name])
        head = heads.get(stream.name, -1)
        found = await self._source.since(stream.name, since, head) if epoch == stream.epoch and head >= since else None
        if found is None:
            self._lose(stream)
        elif stream.jump(found, head):
            GAPS.inc()
            stream.delivery.soon()

    def _lose(self, stream: Stream) -> None:
        """Nobody can go on from here: everybody comes back and starts from what there is."""
        if self._carries(stream):
            del self._streams[stream.name]
        for member in stream.delivery.clear():
            member.lost(stream.name)

    # --- the channel layer, and what to do without it

    async def _regroup(self, names: Collection[str]) -> None:
        """Make the groups we are in those that we want to be in. Never raises; the poll tries again."""
        async with self._grouping:
            wanted = self._wanted()
            try:
                if self._channel is None:
                    self._channel = await self._layer.new_channel()
                    self._spawn(self._listen(self._channel))
                if not publisher.reachable:  # is it back? Joining and leaving may need no word to Redis
                    await self._layer.send(self._channel, {"type": "probe", "stream": ""})
                for name in names:
                    if name in wanted and name not in self._groups:
                        await self._layer.group_add(name, self._channel)
                        self._groups.add(name)
                    elif name not in wanted and name in self._groups:
                        self._groups.discard(name)
                        await self._layer.group_discard(name, self._channel)
            except Exception as error:  # whatever a layer raises when its server is away
                publisher.say(reachable=False, why=repr(error))
            else:
                publisher.say(reachable=True)

    def _wanted(self) -> set[str]:
        return {*self._streams} if self._closing else {EVERYBODY, *self._streams}

    async def _listen(self, channel: str) -> None:
        while True:
            announcement = await self._layer.receive(channel)
            try:
                self.hear(announcement)
            except Exception as error:  # of another release's making, perhaps: the poll finds what it meant
                logger.warning("An announcement made no sense: %r", error)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for stream in list(self._streams.values()):
                if stream.idle:
                    del self._streams[stream.name]
            try:
                await self._compare_heads()
            except Exception as error:  # the database is away: the next round will tell
                logger.warning("Could not compare the heads of %d streams: %r", len(self._streams), error)
            if not publisher.reachable or self._groups != self._wanted():
                await self._regroup(self._groups ^ self._wanted())

    async def _compare_heads(self) -> None:
        lasts = {stream: stream.last for stream in self._streams.values() if stream.last >= 0}
        if not lasts:
            return
        epoch, heads = await self._source.heads([stream.name for stream in lasts])
        for stream, last in lasts.items():
            head = heads.get(stream.name, -1)
            if epoch != stream.epoch or head < last:  # the database was put back to an older day
                self._lose(stream)
            elif head > stream.last:
                stream.known = max(stream.known, head)
                self._fill_soon(stream)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        # Done for everybody, whoever's command was the first to need it: no log line of it is that one's.
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_say_failure)
        return task

    async def close(self) -> None:
        """Stop, and leave every group."""
        self._closing = True
        self._streams.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._regroup(set(self._groups)), 1)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _say_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.warning("The hub could not finish %s: %r", task.get_coro(), error)
