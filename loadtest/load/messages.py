"""The messages between the master and its workers, which locust carries. Each has a name, and a type for its data."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

# From the master.
CLOCK, PLAN, ASSIGN, PHASE, FINALIZE = "load_clock", "load_plan", "load_assign", "load_phase", "load_finalize"
# From a worker; it answers CLOCK with CLOCK.
REPORT, FINAL_REPORT = "load_report", "load_final_report"


class ClockQuestion(TypedDict):
    """The master asks for the time of a worker's clock."""

    asked: int  # by the master's monotonic clock, nanoseconds


class ClockAnswer(TypedDict):
    """The answer, with the question in it."""

    asked: int
    answered: int  # by the worker's monotonic clock, nanoseconds
    boot: str  # see clock.read_boot_id
    wall: int  # the worker's wall clock, nanoseconds


class Assignment(TypedDict):
    """The numbers of a worker's users, and when they connect."""

    first_user: int  # the number of its first user
    clock_ahead: int  # nanoseconds by which the worker's clock is ahead of the master's
    starts: int  # when the first socket of all connects, by the run's clock


class AckRecord(NamedTuple):
    """A message was acknowledged at this sequence number, or received with it. Sent as a list."""

    stream: str
    seq: int
    user: int
    number: int
    source: int  # AckLedger.ACKED or AckLedger.RECEIVED


class WorkerReport(TypedDict):
    """What has happened at a worker since its last report. Times are nanoseconds of the run's clock."""

    at: int
    phase: int  # number of the current phase; -1 before the first
    registered: int  # users that were started
    joined: int  # users that are in their rooms
    unacked: int  # messages sent and not acknowledged
    sent: int
    acked: int
    frames: int
    deliveries: int
    duplicated: int
    out_of_order: int
    phantom: int
    stale: int
    counters: dict[str, dict[str, int]]  # see EventCounters
    latencies: dict[str, bytes]  # encoded histograms by name
    acks: list[AckRecord]
    cpu: float  # CPU seconds of the worker since its start
    cpu_wait: float  # seconds it waited for a core since its start
    rss: int  # bytes


class TrackerRow(NamedTuple):
    """Where one tracker ended. Sent as a list."""

    next_seq: int
    first_seq: int
    missing: list[int]
    unverified: list[int]
    skipped: list[tuple[int, int]]
    has_left: bool


class FinalReport(TypedDict):
    """A worker's last message."""

    trackers: dict[str, list[TrackerRow]]  # by stream
    unacked: list[tuple[int, int]]  # user and number of messages that were never acknowledged


@dataclass
class EventCounters:
    """Events by what the server, or the exception, says of them.

    Attributes:
        refused: commands, by error code.
        failed: attempts to connect and join, by reason.
        closed: connections that the server closed, by close code.
        other: anything else worth a number.
    """

    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, dict[str, int]]:
        """Return the counters that have counted anything."""
        return {name: dict(counter) for name, counter in vars(self).items() if counter}

    def add(self, counters: dict[str, dict[str, int]]) -> None:
        """Add what another process has counted."""
        for name, counts in counters.items():
            getattr(self, name).update(counts)

    def clear(self) -> None:
        """Set all counters to 0."""
        for counter in vars(self).values():
            counter.clear()
