"""Thresholds: `p99_delivery_ms=250`, `lost=0`, `deliveries_per_s>=5000`. They decide the exit code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PATTERN = re.compile(r"([a-z][a-z0-9_]*)\s*(<=|>=|=)\s*(-?\d+(?:\.\d+)?)")
# What a chat must never do, whatever else is asked of it.
ALWAYS = ("lost=0", "duplicated=0", "out_of_order=0", "phantom=0", "unacked=0", "refused=0")


class BadThreshold(Exception):
    """The text says what is wrong with it."""


@dataclass(frozen=True)
class Threshold:
    """`=` means at most."""

    name: str
    at_least: bool
    limit: float

    @classmethod
    def parse(cls, text: str) -> "Threshold":
        """Raises BadThreshold."""
        if not (found := PATTERN.fullmatch(text.strip())):
            raise BadThreshold(f"{text!r} is no threshold; p99_delivery_ms=250 and deliveries_per_s>=5000 are.")
        return cls(found[1], found[2] == ">=", float(found[3]))

    def __str__(self) -> str:
        return f"{self.name} {'>=' if self.at_least else '<='} {self.limit:g}"

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def thresholds(asked: list[str]) -> list[Threshold]:
    """Those asked for, and those that always hold unless asked for otherwise. Raises BadThreshold."""
    parsed = [Threshold.parse(text) for text in asked]
    named = {one.name for one in parsed}
    return [one for one in map(Threshold.parse, ALWAYS) if one.name not in named] + parsed


def judged(wanted: list[Threshold], figures: Mapping[str, float]) -> list[dict[str, object]]:
    """Each with its value and whether it holds. What was not measured holds nothing. Raises BadThreshold for a name
    that no run measures."""
    rows: list[dict[str, object]] = []
    for one in wanted:
        if one.name not in figures:
            if not re.fullmatch(r"(p50|p90|p99|p999|max)_[a-z_]+_ms|memory_mib_per_h|knee_messages_per_s", one.name):
                raise BadThreshold(f"Nothing is called {one.name}; there are {', '.join(sorted(figures))}.")
            rows.append({"threshold": str(one), "value": None, "holds": False})
        else:
            value = figures[one.name]
            rows.append({"threshold": str(one), "value": value, "holds": one.holds(value)})
    return rows
