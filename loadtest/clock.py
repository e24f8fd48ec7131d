"""The run's clock: the master's monotonic one. Workers on other machines learn how far theirs is from it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Processes with the same one share a monotonic clock. Empty where the system does not tell."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""


class Sample(NamedTuple):
    """One question and answer, nanoseconds: asked and heard by the asker's clock, answered by the other's."""

    asked: int
    answered: int
    heard: int

    @property
    def round_trip(self) -> int:
        return self.heard - self.asked

    @property
    def offset(self) -> int:
        """Of the other clock against the asker's, if both ways took the same time."""
        return self.answered - (self.asked + self.heard) // 2


@dataclass(frozen=True)
class Offset:
    """How far another clock is ahead, and how wrong that may be; nanoseconds."""

    nanoseconds: int
    uncertainty: int

    @classmethod
    def of(cls, samples: list[Sample]) -> "Offset":
        """From the exchange that took the least time: waiting only ever makes the answer worse."""
        best = min(samples, key=lambda sample: sample.round_trip)
        return cls(best.offset, best.round_trip // 2)


class RunClock:
    """Nanoseconds, the same on all workers. Set `ahead` once it is known."""

    def __init__(self) -> None:
        self.ahead = 0  # of this machine's clock, against the master's

    def now(self) -> int:
        return time.monotonic_ns() - self.ahead

    def local(self, moment: int) -> int:
        """The moment by this machine's monotonic clock."""
        return moment + self.ahead
