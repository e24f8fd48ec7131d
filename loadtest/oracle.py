"""Whether each socket got each message of each of its rooms once, in order, and nothing else.

A stream is what must arrive without a hole: a room, where the server counts a room's changes; what one user says in a
room, where it does not. A place is the count in it. Each socket has a track in each of its streams.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

FAULTS = ("lost", "duplicated", "out_of_order", "phantom", "unacked")


class Event(NamedTuple):
    """One thing that a frame tells about a room."""

    room: str
    place: int | None  # the server's own count in that room; None where it has none
    text: str | None  # of a message; None for anything else that takes a place


@dataclass(slots=True)
class Track:
    """What one socket has of one stream."""

    due: int  # the next place
    start: int  # the first place it was owed
    missing: set[int] = field(default_factory=set)  # passed over, and not come yet
    unsure: set[int] = field(default_factory=set)  # passed over while catching up: lost only if a message stood there
    phantoms: set[int] = field(default_factory=set)  # places that something took which nobody had said
    skipped: list[tuple[int, int]] = field(default_factory=list)  # from, to: the server let it start afresh
    ended: bool = False  # it left for good: owed nothing from `due` on


@dataclass
class Counts:
    """Of one worker."""

    deliveries: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    phantom: int = 0

    def take(self) -> dict[str, int]:
        """The counts since the last time, which start anew."""
        taken = asdict(self)
        self.deliveries = self.duplicated = self.out_of_order = self.phantom = 0
        return taken


def unexpected(track: Track, place: int, counts: Counts) -> None:
    """A place came that was not the due one (the due one is the caller's own, quicker, affair)."""
    due = track.due
    if place >= due:
        track.missing.update(set(range(due, place)) - track.phantoms)
        track.due = place + 1
    elif place in track.missing:
        track.missing.remove(place)
        counts.out_of_order += 1
    elif place in track.unsure:  # late, but it was told as the past and not live
        track.unsure.remove(place)
    else:
        counts.duplicated += 1


def caught_up(track: Track, places: Iterable[int], head: int, counts: Counts) -> None:
    """The server has told what came between the due place and `head`, both included, in one answer."""
    told: set[int] = set()
    last = -1
    for place in places:
        if (place < track.due and place not in track.missing) or place in told:
            counts.duplicated += 1
        elif place < last:
            counts.out_of_order += 1
        told.add(place)
        last = max(last, place)
    track.missing -= told
    track.unsure.update(set(range(track.due, head + 1)) - told)
    track.due = max(track.due, head + 1)


def started_afresh(track: Track, head: int) -> None:
    """The server has given a newest page instead of what was missed: nothing before `head` is owed."""
    if head >= track.due:
        track.skipped.append((track.due, head))
        track.due = head + 1
    track.missing.clear()
    track.unsure.clear()


class Book:
    """One stream as the acks tell it: at which places messages stand. The master keeps one for each."""

    ACKED, SEEN = 1, 2

    def __init__(self) -> None:
        self.first = 0
        self.flags = bytearray()
        self.waiting: dict[int, tuple[int, int, int]] = {}  # place -> user, number, flag: half of a pair
        self.conflicts = 0  # a place was acked as one message and delivered as another

    def note(self, place: int, user: int, number: int, flag: int) -> None:
        """A message was acked as this place, or seen there by somebody."""
        if not self.flags:
            self.first = place
        if place < self.first:
            self.flags[:0] = bytes(self.first - place)
            self.first = place
        at = place - self.first
        if at >= len(self.flags):
            self.flags.extend(bytes(at + 1 - len(self.flags)))
        if self.flags[at] & flag:
            return
        self.flags[at] |= flag
        if (other := self.waiting.pop(place, None)) is None:
            self.waiting[place] = (user, number, flag)
        elif other[:2] != (user, number):
            self.conflicts += 1

    def is_message(self, place: int) -> bool:
        at = place - self.first
        return 0 <= at < len(self.flags) and bool(self.flags[at])

    def messages(self, start: int, end: int) -> int:
        """How many stand from place `start` to `end`, both included."""
        low, high = max(0, start - self.first), max(0, end + 1 - self.first)
        part = self.flags[low:high]
        return len(part) - part.count(0)

    @property
    def last(self) -> int:
        """The last place at which a message stands; -1 when there is none."""
        return self.first + len(self.flags) - 1 if self.flags else -1


class Verdict(NamedTuple):
    """What the tracks and books of a whole run come to."""

    lost: int
    phantom: int
    expected: int  # deliveries owed to all sockets together


def judge(books: dict[str, Book], tracks: dict[str, list[Track]], unanswered: set[tuple[int, int]]) -> Verdict:
    """Settle a run. `unanswered`: user and number of what was sent and never acked: seen, it is no phantom."""
    lost = expected = phantom = 0
    for book in books.values():
        phantom += book.conflicts
        for user, number, flag in book.waiting.values():
            # Delivered, never acked, and not sent either.
            phantom += flag == Book.SEEN and (user, number) not in unanswered
    for stream, of_stream in tracks.items():
        book = books.get(stream) or Book()
        for track in of_stream:
            end = track.due - 1 if track.ended else max(book.last, track.due - 1)
            lost += len(track.missing) + sum(map(book.is_message, track.unsure))
            lost += sum(book.is_message(place) for place in range(track.due, end + 1))
            expected += book.messages(track.start, end)
            expected -= sum(book.messages(start, stop) for start, stop in track.skipped)
    return Verdict(lost, phantom, expected)
