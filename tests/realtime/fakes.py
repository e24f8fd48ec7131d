"""Fakes for the hub: a source instead of the database, listeners instead of sockets, and a channel layer."""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from channels_realtime.frames import Frame
from channels_realtime.hub import Hub
from channels_realtime.stream import Event


class Snapshot(NamedTuple):
    """What a listener receives when it joins: the numbers of all events up to `head`."""

    epoch: str
    head: int
    seqs: list[int]


class Gate:
    """A point in the code where calls wait while it is closed."""

    def __init__(self) -> None:
        self.open = True
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        if not self.open:
            self.waiting.append(asyncio.get_running_loop().create_future())
            await self.waiting[-1]

    def release(self) -> None:
        self.open = True
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Log:
    """A Source of one stream, `s`. An answer contains what was stored when the call began, even if it arrives late."""

    def __init__(self) -> None:
        self.epoch = "first"
        self.events: list[Event] = []
        self.overwritten: set[int] = set()  # events whose rows changed again later: `since` leaves them out
        self.max_changes = 300
        self.is_away = False
        self.is_deleted = False
        self.head_queries = 0
        self.gap_queries: list[tuple[int, int]] = []
        self.before_heads, self.after_heads = Gate(), Gate()
        self.before_snapshot, self.after_snapshot = Gate(), Gate()

    @property
    def head(self) -> int:
        return self.events[-1].seq if self.events else 0

    def commit(self, removes: int | None = None) -> Event:
        """Store one more event without publishing it."""
        seq = self.head + 1
        self.events.append(Event(seq, json.dumps({"seq": seq}), removes))
        return self.events[-1]

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        self.head_queries += 1
        await self.before_heads()
        self._check_reachable()
        answer = self.epoch, {} if self.is_deleted else dict.fromkeys(streams, self.head)
        await self.after_heads()
        return answer

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        self._check_reachable()
        self.gap_queries.append((seq, head))
        if head - seq > self.max_changes:
            return None
        return [event for event in self.events if seq < event.seq <= head and event.seq not in self.overwritten]

    async def load_snapshot(self) -> Snapshot:
        """Return all events."""
        await self.before_snapshot()
        self._check_reachable()
        snapshot = Snapshot(self.epoch, self.head, [event.seq for event in self.events])
        await self.after_snapshot()
        return snapshot

    def _check_reachable(self) -> None:
        if self.is_away:
            raise OSError("the database is away")


class Listener:
    """A member that records what it receives."""

    def __init__(self, key: int = 1) -> None:
        self.key = key
        self.active_at = 0.0
        self.rechecks = 0
        self.snapshot: Snapshot | None = None
        self.frames: list[Frame] = []
        self.on_frame: Callable[[Frame], None] = lambda _: None  # set by a test
        self.ephemeral: list[str] = []
        self.removed_from: list[str] = []
        self.lost_streams: list[str] = []

    @property
    def seqs_by_frame(self) -> list[list[int]]:
        """The numbers of the received events, frame by frame."""
        return [[event["seq"] for event in json.loads(frame.text)["events"]] for frame in self.frames]

    @property
    def seqs(self) -> list[int]:
        """The numbers of the received events."""
        return [seq for seqs in self.seqs_by_frame for seq in seqs]

    @property
    def event_writer(self) -> "Listener":
        return self

    def write(self, frame: Frame) -> None:
        self.on_frame(frame)
        self.frames.append(frame)

    def send_droppable(self, frame: Frame) -> None:
        self.ephemeral.append(frame.text)

    def recheck_session(self) -> None:
        self.rechecks += 1

    def on_removed(self, stream: str, event: Event) -> None:
        assert event.removed_member == self.key
        self.removed_from.append(stream)

    def on_stream_lost(self, stream: str) -> None:
        self.lost_streams.append(stream)


async def join_stream(hub: Hub, name: str, listener: Listener, log: Log) -> None:
    """Make the listener a member of the stream."""
    with hub.joining(name) as join:
        await join.wait_until_open()
        snapshot = await log.load_snapshot()
        await join.catch_up(snapshot)
        assert listener.snapshot is None
        assert not listener.frames
        listener.snapshot = snapshot
        join.complete(listener)


class FakeChannelLayer:
    """A channel layer that can be switched off, and in which joining a group can be made to wait."""

    def __init__(self) -> None:
        self.is_away = False
        self.groups: dict[str, set[str]] = {}
        self.sent: list[dict[str, Any]] = []
        self.joining = Gate()
        self._channels: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    def _check_reachable(self) -> None:
        if self.is_away:
            raise ConnectionError("Redis is away")

    async def new_channel(self, prefix: str = "specific") -> str:
        name = f"{prefix}.{len(self._channels)}!"
        self._channels[name] = asyncio.Queue()
        return name

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        self._check_reachable()
        self._channels[channel].put_nowait(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        received = await self._channels[channel].get()
        if received["type"] == "restart":
            raise ConnectionError("Redis was restarted")
        return received

    def restart(self) -> None:
        """Fail each receiver and forget all groups, as the core layer of channels_redis when Redis restarts."""
        self.groups.clear()
        for queue in self._channels.values():
            queue.put_nowait({"type": "restart"})

    async def group_add(self, group: str, channel: str) -> None:
        await self.joining()
        self._check_reachable()
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self._check_reachable()
        self.groups.get(group, set()).discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._check_reachable()
        self.sent.append(message)
        for channel in self.groups.get(group, ()):
            self._channels[channel].put_nowait(message)


def announcement(*events: Event, stream: str = "s") -> dict[str, Any]:
    """Return the announcement of these events as it arrives from Redis: tuples have become lists."""
    return {"type": "events", "stream": stream, "events": [list(event) for event in events]}
