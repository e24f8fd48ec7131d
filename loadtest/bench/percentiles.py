"""Percentiles of what was really measured: nearest rank, no interpolation between two values that never occurred."""

from collections.abc import Sequence

WANTED = (50, 95, 99)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed."""
    if not ordered:
        raise ValueError("no values")
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(1, int(rank)) - 1]


def summary(values: Sequence[float], per: float = 1.0) -> dict[str, float]:
    """p50, p95, p99 and max, each divided by `per`; empty when there are no values."""
    if not values:
        return {}
    ordered = sorted(values)
    found = {f"p{percent}": percentile(ordered, percent) / per for percent in WANTED}
    return {**found, "max": ordered[-1] / per}
