"""The oracle: did each socket receive each message of each of its streams once, in order, and nothing else?

A stream is a sequence that must arrive without a gap: a room, if the server numbers the changes of a room; otherwise
the messages of one sender in a room. Each socket has one tracker for each of its streams.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, TypedDict, cast


class Event(NamedTuple):
    """One change of a room, as a frame reports it."""

    room: str
    seq: int | None  # the server's own number of the change; None if the server does not number changes
    text: str | None  # the text of a new message; None for any other change


@dataclass(slots=True)
class DeliveryTracker:
    """What one socket has received of one stream."""

    next_seq: int  # the sequence number that is due next
    first_seq: int  # the first one that the socket has to receive
    missing: set[int] = field(default_factory=set)  # skipped, and not received since
    unverified: set[int] = field(default_factory=set)  # not in a resume's answer: lost only if it was a message
    phantom_seqs: set[int] = field(default_factory=set)  # taken by a message that no user of this run sent
    skipped: list[tuple[int, int]] = field(default_factory=list)  # first, last: the server sent a snapshot instead
    has_left: bool = False  # the socket left the stream: it does not have to receive `next_seq` and later ones
    finalized: int = 0  # sequence numbers below this one have been judged


class FaultTotals(TypedDict):
    """Deliveries and faults since the totals were last taken."""

    deliveries: int
    duplicated: int
    out_of_order: int
    phantom: int
    stale: int


@dataclass
class FaultCounts:
    """Deliveries and faults of all sockets of one process."""

    deliveries: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    phantom: int = 0
    stale: int = 0  # received after `finalize` had counted it as lost

    def take(self) -> FaultTotals:
        """Return the counts since the last call, and reset them to 0."""
        taken = cast("FaultTotals", asdict(self))
        self.deliveries = self.duplicated = self.out_of_order = self.phantom = self.stale = 0
        return taken


def record_unexpected(tracker: DeliveryTracker, seq: int, counts: FaultCounts) -> None:
    """Record a sequence number that is not `tracker.next_seq`.

    The expected case, `tracker.next_seq += 1`, stands in the loop that reads the sockets, where it costs less.
    """
    next_seq = tracker.next_seq
    if seq < tracker.finalized:
        counts.stale += 1
    elif seq >= next_seq:
        tracker.missing.update(set(range(next_seq, seq)) - tracker.phantom_seqs)
        tracker.next_seq = seq + 1
    elif seq in tracker.missing:
        tracker.missing.remove(seq)
        counts.out_of_order += 1
    elif seq in tracker.unverified:  # a live delivery of what the resume's answer did not contain
        tracker.unverified.remove(seq)
    else:
        counts.duplicated += 1


def record_resume(tracker: DeliveryTracker, seqs: Iterable[int], head: int, counts: FaultCounts) -> None:
    """Record a resume: one answer that contains all changes from `tracker.next_seq` to `head`, both included."""
    received: set[int] = set()
    last = -1
    for seq in seqs:
        if (seq < tracker.next_seq and seq not in tracker.missing) or seq in received:
            counts.duplicated += 1
        elif seq < last:
            counts.out_of_order += 1
        received.add(seq)
        last = max(last, seq)
    tracker.missing -= received
    tracker.unverified.update(set(range(tracker.next_seq, head + 1)) - received)
    tracker.next_seq = max(tracker.next_seq, head + 1)


def record_snapshot(tracker: DeliveryTracker, head: int) -> None:
    """Record that the server sent a snapshot instead of the missed changes: nothing up to `head` is owed."""
    if head >= tracker.next_seq:
        tracker.skipped.append((tracker.next_seq, head))
        tracker.next_seq = head + 1
    tracker.missing.clear()
    tracker.unverified.clear()


def finalize(tracker: DeliveryTracker, end: int) -> int:
    """Judge the sequence numbers below `end`, whose time to arrive is over; return how many of them are lost.

    What arrives of them later counts as stale.
    """
    lost = len(tracker.missing) + max(0, end - tracker.next_seq)
    tracker.missing.clear()
    tracker.next_seq = tracker.finalized = end
    return lost
