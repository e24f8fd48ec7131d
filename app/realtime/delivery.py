"""One stream's events on their way to its members here: encoded once, in shares, at the stream's own pace."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from django.conf import settings

from realtime.frames import Frame
from realtime.metrics import DELIVERIES, DELIVERY
from realtime.rate_limit import Bucket

# A stream that is busier than this shares frames: an event waits for the next one, 50 ms at most. Below it every
# event leaves at once.
FRAMES_A_SECOND = 20
FRAMES_AT_ONCE = 5
STORING = 0.01  # seconds that a batch of posts usually takes to be committed
SHARE = 500  # members served before others get the loop: some 5 ms


class Event(NamedTuple):
    """A lasting change: number `seq` of its stream, as JSON. `drop`: the key of members that it takes out."""

    seq: int
    text: str
    drop: int | None = None


class Outlet(Protocol):
    """The way to a member."""

    def write(self, frame: Frame) -> None:
        """Send this, in order; without waiting."""


class Member(Protocol):
    """A socket, as the hub sees it. None of its methods waits."""

    key: int  # whose socket it is
    outlet: Outlet

    def whisper(self, frame: Frame) -> None:
        """Send this, or drop it."""

    def dropped(self, stream: str) -> None:
        """An event took you out of the stream."""

    def lost(self, stream: str) -> None:
        """The stream cannot be continued from what you have."""


class Delivery:
    """`ready` holds events in order; soon() says that there are new ones."""

    def __init__(self, name: str, frame: Callable[[Sequence[str]], str]) -> None:
        self.name = name
        self.ready: list[Event] = []
        # In a large room every object that is touched for each member costs as much as the call.
        self.members: dict[Member, Outlet] = {}
        self._came: dict[Member, int] = {}  # the number of its coming; who has left and come again has another one
        self._lent = False  # `members`, to a round: it goes on with those it began with
        self.holds: list[list[Event]] = []  # for each newcomer: what left while it was looking around
        self.oldest: float | None = None  # of what is ready and was announced: when it was stored, by time.time()
        self._frame = frame
        self.comings = 0  # so far
        self._round: Iterator[None] | None = None  # under way, or about to begin
        self._due = 0.0  # when it begins, by the loop's clock
        self._pace = Bucket(FRAMES_A_SECOND, FRAMES_AT_ONCE)

    def add(self, member: Member, missed: Sequence[Event]) -> None:
        """Take a member in who has everything up to now except these."""
        self.remove(member)
        self._take_back()
        self.comings += 1
        self.members[member], self._came[member] = member.outlet, self.comings
        for _ in self._hand_out({member: member.outlet}, missed):
            pass

    def remove(self, member: Member) -> None:
        """Nothing more reaches the member."""
        if member in self.members:
            self._take_back()
            del self.members[member], self._came[member]

    def clear(self) -> list[Member]:
        """Nothing more reaches anybody; returns whom it does not."""
        members = list(self.members)
        self.members, self._came, self._lent = {}, {}, False
        return members

    def _take_back(self) -> None:
        """Before `members` changes."""
        if self._lent:
            self.members, self._lent = dict(self.members), False

    def whisper(self, text: str) -> None:
        """Send a whole frame to those who keep up, now and out of order."""
        frame = Frame(text)
        for member in self.members:
            member.whisper(frame)

    def patience(self) -> float:
        """Seconds that a change may wait before it is stored, and yet leave in the next frame it is sure to reach."""
        if not settings.COALESCE:
            return 0
        left = 0.0 if self._round is None else self._due - asyncio.get_running_loop().time()
        due = left if left >= STORING else self._pace.peek()  # in the frame that is about to leave, or the one after
        return max(0.0, due - STORING)

    def announced(self, at: float | None) -> None:
        """Something is on its way to the members that was stored at this time."""
        self.oldest = self.oldest or at

    def soon(self) -> None:
        """Begin a round at the end of this turn of the loop, or when the pace allows: what came together leaves so."""
        if self._round is None:
            self._round = self._all()
            wait = self._pace.reserve() if settings.COALESCE else 0
            loop = asyncio.get_running_loop()
            self._due = loop.time() + wait
            loop.call_later(wait, self._go_on, self._round)

    def finish(self) -> None:
        """Hand out everything now."""
        while self._round is not None or self.ready:  # an opening stream has events ready and no round for them
            for _ in self._round or self._all():
                pass
            self._round = None

    def _go_on(self, round_: Iterator[None]) -> None:
        """One share of a round, then let others have the loop."""
        if self._round is not round_:
            return  # finish() was faster
        try:
            next(round_)
        except StopIteration:
            self._end()
        else:
            asyncio.get_running_loop().call_soon(self._go_on, round_)

    def _end(self) -> None:
        self._round = None
        if self.ready:
            self.soon()

    def _all(self) -> Iterator[None]:
        events, self.ready = self.ready, []
        oldest, self.oldest = self.oldest, None
        for held in self.holds:
            held.extend(events)
        self._lent = True
        yield from self._hand_out(self.members, events)
        self._lent = False
        if oldest is not None:
            DELIVERY.observe(max(0.0, time.time() - oldest))  # another machine's clock may be ahead

    def _hand_out(self, members: Mapping[Member, Outlet], events: Sequence[Event]) -> Iterator[None]:
        """Write the events to these members; yields between two shares of the work."""
        start, comings = 0, self.comings
        for end, event in enumerate(events, 1):
            if event.drop is None and end < len(events):
                continue  # more fits into this frame
            frame = Frame(self._frame([event.text for event in events[start:end]]))
            DELIVERIES.inc((end - start) * len(members))
            start = end
            outlets = iter(members.values())
            for first in range(0, len(members), SHARE):
                if first:
                    yield
                if self.members is members:
                    for outlet in islice(outlets, SHARE):
                        outlet.write(frame)
                else:  # somebody has come meanwhile, or left, or left and come again; in zip, what ends first is first
                    for member, outlet in zip(islice(members, first, first + SHARE), outlets, strict=False):
                        if self._came.get(member, comings + 1) <= comings:
                            outlet.write(frame)
            if event.drop is not None:  # the dropped one hears of it, and of nothing after
                for member in [member for member in members if member.key == event.drop]:
                    if self._came.get(member, comings + 1) <= comings:
                        self.remove(member)
                        member.dropped(self.name)
