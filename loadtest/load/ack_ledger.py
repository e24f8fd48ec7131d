"""What the server has acknowledged, and the verdict: does it agree with what the sockets have received?"""

from typing import NamedTuple

from loadtest.core.oracle import DeliveryTracker

FAULTS = ("lost", "duplicated", "out_of_order", "phantom", "unacked")


class AckLedger:
    """One stream as the acknowledgements tell it: which sequence numbers are messages. The master keeps one for each.

    Attributes:
        conflicts: how many sequence numbers were acknowledged as one message and received as another.
        waiting: sequence number to user, number and source of a message with only one of the two.
    """

    ACKED, RECEIVED = 1, 2  # sources

    def __init__(self) -> None:
        self.conflicts = 0
        self.waiting: dict[int, tuple[int, int, int]] = {}
        self._first = 0
        self._sources = bytearray()  # of each sequence number from _first on

    def record(self, seq: int, user: int, number: int, source: int) -> None:
        """Record that a message was acknowledged as this sequence number, or received with it."""
        if not self._sources:
            self._first = seq
        if seq < self._first:
            self._sources[:0] = bytes(self._first - seq)
            self._first = seq
        at = seq - self._first
        if at >= len(self._sources):
            self._sources.extend(bytes(at + 1 - len(self._sources)))
        if self._sources[at] & source:
            return
        self._sources[at] |= source
        if (other := self.waiting.pop(seq, None)) is None:
            self.waiting[seq] = (user, number, source)
        elif other[:2] != (user, number):
            self.conflicts += 1

    def is_message(self, seq: int) -> bool:
        """Return whether this sequence number is a message."""
        at = seq - self._first
        return 0 <= at < len(self._sources) and bool(self._sources[at])

    def count_messages(self, first: int, last: int) -> int:
        """Return how many of these sequence numbers, both included, are messages."""
        low, high = max(0, first - self._first), max(0, last + 1 - self._first)
        part = self._sources[low:high]
        return len(part) - part.count(0)

    @property
    def last(self) -> int:
        """The last sequence number that is a message; -1 if there is none."""
        return self._first + len(self._sources) - 1 if self._sources else -1


class Verdict(NamedTuple):
    """What the trackers and ledgers of a whole run add up to."""

    lost: int
    phantom: int
    expected: int  # deliveries owed to all sockets together


def judge_run(
    ledgers: dict[str, AckLedger], trackers: dict[str, list[DeliveryTracker]], unacked: set[tuple[int, int]]
) -> Verdict:
    """Compare what was acknowledged with what was received.

    Args:
        ledgers: by stream.
        trackers: of all sockets, by stream.
        unacked: user and number of messages that were sent and never acknowledged: received, they are no phantoms.
    """
    lost = expected = phantom = 0
    for ledger in ledgers.values():
        phantom += ledger.conflicts
        for user, number, source in ledger.waiting.values():
            phantom += source == AckLedger.RECEIVED and (user, number) not in unacked
    for stream, of_stream in trackers.items():
        ledger = ledgers.get(stream) or AckLedger()
        for tracker in of_stream:
            end = tracker.next_seq - 1 if tracker.has_left else max(ledger.last, tracker.next_seq - 1)
            lost += len(tracker.missing) + sum(map(ledger.is_message, tracker.unverified))
            lost += sum(ledger.is_message(seq) for seq in range(tracker.next_seq, end + 1))
            expected += ledger.count_messages(tracker.first_seq, end)
            expected -= sum(ledger.count_messages(first, last) for first, last in tracker.skipped)
    return Verdict(lost, phantom, expected)
