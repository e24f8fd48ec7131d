"""What a hub knows of one stream: how far it is, what is early, what is missing."""

import asyncio
from collections.abc import Callable, Sequence

from realtime.delivery import Delivery, Event


class Stream:
    """A stream with members in this process. Everything up to `last` has been handed to them."""

    def __init__(self, name: str, frame: Callable[[Sequence[str]], str]) -> None:
        self.name = name
        self.epoch = ""
        self.last = -1
        self.known = -1  # the highest number we have heard of; above last, something is missing
        self.early: dict[int, Event] = {}  # arrived before their predecessors
        self.delivery = Delivery(name, frame)
        self.opening: asyncio.Future[None]
        self.filling: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return not self.delivery.members and not self.delivery.holds

    def take(self, events: Sequence[Event]) -> bool:
        """Put events in their places. Returns whether anything became ready."""
        self.known = max(self.known, *(event.seq for event in events))
        self.early |= {event.seq: event for event in events if event.seq > self.last}
        return self._line_up()

    def jump(self, events: list[Event], head: int) -> bool:
        """Take what the database has up to `head`, in order; rows that changed again are in it only once."""
        before = self.last
        self.delivery.ready += [event for event in events if event.seq > before]
        self.last = max(before, head)
        self.known = max(self.known, self.last)
        self.early = {seq: event for seq, event in self.early.items() if seq > self.last}
        return self._line_up() or self.last > before

    def _line_up(self) -> bool:
        before = self.last
        while event := self.early.pop(self.last + 1, None):
            self.delivery.ready.append(event)
            self.last = event.seq
        return self.last > before
