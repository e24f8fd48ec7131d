"""What a hub knows of one stream."""

import asyncio
from typing import NamedTuple, Protocol


class Event(NamedTuple):
    """A lasting change: number `seq` of its stream, as JSON. `drop`: the key of members that it takes out."""

    seq: int
    text: str
    drop: int | None = None


class Member(Protocol):
    """A socket, as the hub sees it. None of its methods waits."""

    key: int  # whose socket it is

    def write(self, frame: str, *, ephemeral: bool = False) -> None:
        """Send this text, in order."""

    def dropped(self, stream: str) -> None:
        """An event took you out of the stream."""

    def lost(self, stream: str) -> None:
        """The stream cannot be continued from what you have."""


class Stream:
    """A stream with members in this process. Everything up to `last` has been handed to them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = ""
        self.last = -1
        self.known = -1  # the highest number we have heard of; above last, something is missing
        self.early: dict[int, Event] = {}  # arrived before their predecessors
        self.ready: list[Event] = []  # in order, leaving with the next frame
        self.members: dict[Member, None] = {}  # a set that keeps its order
        self.holds: list[list[Event]] = []  # for each newcomer: what left while it was looking around
        self.opening: asyncio.Future[None]
        self.filling: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return not self.members and not self.holds

    def take(self, event: Event) -> bool:
        """Put an event in its place. Returns whether anything became ready."""
        self.known = max(self.known, event.seq)
        if event.seq <= self.last:
            return False
        self.early[event.seq] = event
        return self._line_up()

    def jump(self, events: list[Event], head: int) -> bool:
        """Take what the database has up to `head`, in order; rows that changed again are in it only once."""
        before = self.last
        self.ready += [event for event in events if event.seq > before]
        self.last = max(before, head)
        self.known = max(self.known, self.last)
        self.early = {seq: event for seq, event in self.early.items() if seq > self.last}
        return self._line_up() or self.last > before

    def _line_up(self) -> bool:
        before = self.last
        while event := self.early.pop(self.last + 1, None):
            self.ready.append(event)
            self.last = event.seq
        return self.last > before
