"""What surrounds a hub: a log instead of the database, listeners instead of sockets, air instead of Redis."""

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from realtime.delivery import Event
from realtime.frames import Frame


class Found(NamedTuple):
    epoch: str
    head: int
    seqs: list[int]


class Gate:
    """A place where one may be held up."""

    def __init__(self) -> None:
        self.open = True
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        if not self.open:
            self.waiting.append(asyncio.get_running_loop().create_future())
            await self.waiting[-1]

    def let_go(self) -> None:
        self.open = True
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class Log:
    """A source of one stream, `s`. What it tells is what it had when asked, however late the answer comes."""

    def __init__(self) -> None:
        self.epoch = "first"
        self.events: list[Event] = []
        self.overwritten: set[int] = set()  # these changed again later: told of no more
        self.most = 300
        self.away = False
        self.gone = False
        self.heads_asked = 0
        self.gaps_asked: list[tuple[int, int]] = []
        self.before_heads, self.after_heads = Gate(), Gate()
        self.before_look, self.after_look = Gate(), Gate()

    @property
    def head(self) -> int:
        return self.events[-1].seq if self.events else 0

    def commit(self, drop: int | None = None) -> Event:
        """One more event, stored and not announced."""
        seq = self.head + 1
        self.events.append(Event(seq, json.dumps({"seq": seq}), drop))
        return self.events[-1]

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        self.heads_asked += 1
        await self.before_heads()
        self._reach()
        answer = self.epoch, {} if self.gone else dict.fromkeys(streams, self.head)
        await self.after_heads()
        return answer

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        self._reach()
        self.gaps_asked.append((seq, head))
        if head - seq > self.most:
            return None
        return [event for event in self.events if seq < event.seq <= head and event.seq not in self.overwritten]

    async def look(self) -> Found:
        await self.before_look()
        self._reach()
        found = Found(self.epoch, self.head, [event.seq for event in self.events])
        await self.after_look()
        return found

    def frame(self, texts: Sequence[str]) -> str:
        return "[" + ",".join(texts) + "]"

    def _reach(self) -> None:
        if self.away:
            raise OSError("the database is away")


class Listener:
    """A member who writes down everything."""

    def __init__(self, key: int = 1) -> None:
        self.key = key
        self.active = 0.0
        self.doubts = 0
        self.greeting: Found | None = None
        self.frames: list[Frame] = []
        self.heard: Callable[[Frame], None] = lambda _: None  # a test's own ear
        self.whispers: list[str] = []
        self.dropped_from: list[str] = []
        self.lost_streams: list[str] = []

    @property
    def shares(self) -> list[list[int]]:
        """The seqs, frame by frame."""
        return [[event["seq"] for event in json.loads(frame.text)] for frame in self.frames]

    @property
    def seqs(self) -> list[int]:
        return [seq for share in self.shares for seq in share]

    def greet(self, found: Found) -> None:
        assert self.greeting is None
        assert not self.frames
        self.greeting = found

    @property
    def outlet(self) -> "Listener":
        return self

    def write(self, frame: Frame) -> None:
        self.heard(frame)
        self.frames.append(frame)

    def whisper(self, frame: Frame) -> None:
        self.whispers.append(frame.text)

    def doubt(self) -> None:
        self.doubts += 1

    def dropped(self, stream: str) -> None:
        self.dropped_from.append(stream)

    def lost(self, stream: str) -> None:
        self.lost_streams.append(stream)


class Air:
    """A channel layer that can be switched off, and that holds up whoever joins a group if told so."""

    def __init__(self) -> None:
        self.away = False
        self.groups: dict[str, set[str]] = {}
        self.sent: list[dict[str, Any]] = []
        self.joining = Gate()
        self._channels: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("nobody there")

    async def new_channel(self, prefix: str = "specific") -> str:
        name = f"{prefix}.{len(self._channels)}!"
        self._channels[name] = asyncio.Queue()
        return name

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        self._reach()
        self._channels[channel].put_nowait(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        return await self._channels[channel].get()

    async def group_add(self, group: str, channel: str) -> None:
        await self.joining()
        self._reach()
        self.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self._reach()
        self.groups.get(group, set()).discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._reach()
        self.sent.append(message)
        for channel in self.groups.get(group, ()):
            self._channels[channel].put_nowait(message)


def announcement(*events: Event, stream: str = "s") -> dict[str, Any]:
    """As it arrives from Redis: what was a tuple is a list."""
    return {"type": "events", "stream": stream, "events": [list(event) for event in events]}
