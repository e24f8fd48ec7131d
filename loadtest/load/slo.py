"""Thresholds: `p99_delivery_ms=250`, `lost=0`, `deliveries_per_s>=5000`. They decide the exit code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

PATTERN = re.compile(r"([a-z][a-z0-9_]*)\s*(<=|>=|=)\s*(-?\d+(?:\.\d+)?)")
# Names that a run may measure, but that this run may lack.
OPTIONAL_NAMES = re.compile(r"(p50|p90|p95|p99|p999|max)_[a-z_]+_ms|memory_mib_per_h|knee_messages_per_s")
# A chat must never do these, unless a threshold says otherwise.
DEFAULT_THRESHOLDS = ("lost=0", "duplicated=0", "out_of_order=0", "phantom=0", "unacked=0", "refused=0")


class BadThreshold(Exception):
    """A threshold cannot be read, or has an unknown name. The text says what is wrong."""


class ThresholdResult(TypedDict):
    """A threshold, and whether it holds."""

    threshold: str
    value: float | None  # None if the run did not measure it
    holds: bool


@dataclass(frozen=True)
class Threshold:
    """A limit of one figure: a lower one, or an upper one (also for `=`)."""

    name: str
    is_lower_limit: bool
    limit: float

    @classmethod
    def parse(cls, text: str) -> "Threshold":
        """Read a threshold as it stands on the command line.

        Raises:
            BadThreshold: it is not NAME=N, NAME<=N or NAME>=N.
        """
        if not (found := PATTERN.fullmatch(text.strip())):
            raise BadThreshold(f"{text!r} is not a threshold; p99_delivery_ms=250 and deliveries_per_s>=5000 are.")
        return cls(found[1], found[2] == ">=", float(found[3]))

    def __str__(self) -> str:
        return f"{self.name} {'>=' if self.is_lower_limit else '<='} {self.limit:g}"

    def holds(self, value: float) -> bool:
        """Return whether a value is within the limit."""
        return value >= self.limit if self.is_lower_limit else value <= self.limit


def parse_thresholds(texts: list[str]) -> list[Threshold]:
    """Return these thresholds, and the default ones of other names. Raises BadThreshold."""
    parsed = [Threshold.parse(text) for text in texts]
    named = {one.name for one in parsed}
    return [one for one in map(Threshold.parse, DEFAULT_THRESHOLDS) if one.name not in named] + parsed


def check_thresholds(thresholds: list[Threshold], figures: Mapping[str, float]) -> list[ThresholdResult]:
    """Compare each threshold with its figure; one without a figure does not hold.

    Raises:
        BadThreshold: no run measures a figure of that name.
    """
    rows: list[ThresholdResult] = []
    for one in thresholds:
        if one.name not in figures:
            if not OPTIONAL_NAMES.fullmatch(one.name):
                raise BadThreshold(f"No figure is called {one.name}; there are {', '.join(sorted(figures))}.")
            rows.append(ThresholdResult(threshold=str(one), value=None, holds=False))
        else:
            value = figures[one.name]
            rows.append(ThresholdResult(threshold=str(one), value=value, holds=one.holds(value)))
    return rows
