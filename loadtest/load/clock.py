"""The run's clock is the master's monotonic clock. Workers on other machines learn how far theirs is from it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id() -> str:
    """Return the id of this boot: processes with the same one share a monotonic clock. Empty if the system has none."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


class Sample(NamedTuple):
    """One question and its answer, in nanoseconds."""

    asked: int  # by the clock that asks
    answered: int  # by the other clock
    received: int  # by the clock that asks

    @property
    def round_trip(self) -> int:
        """How long the answer took."""
        return self.received - self.asked

    @property
    def offset(self) -> int:
        """How far the other clock is ahead, if both ways took the same time."""
        return self.answered - (self.asked + self.received) // 2


@dataclass(frozen=True)
class Offset:
    """How far another clock is ahead, and how wrong that may be, in nanoseconds."""

    nanoseconds: int
    uncertainty: int

    @classmethod
    def from_samples(cls, samples: list[Sample]) -> "Offset":
        """Return the offset of the exchange that took the least time: waiting only makes an answer worse."""
        best = min(samples, key=lambda sample: sample.round_trip)
        return cls(best.offset, best.round_trip // 2)


class RunClock:
    """Nanoseconds, the same on all workers.

    Attributes:
        ahead: how far this machine's clock is ahead of the master's; set once it is known.
    """

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        """Return the time of the run's clock."""
        return time.monotonic_ns() - self.ahead

    def to_local(self, time_ns: int) -> int:
        """Return a time of the run's clock by this machine's monotonic clock."""
        return time_ns + self.ahead
