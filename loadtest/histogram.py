"""Latencies in HDR histograms: three digits, from a microsecond to ten minutes; merged without losing anything."""

from collections import defaultdict
from typing import Any

from hdrh.histogram import HdrHistogram

LOWEST, HIGHEST, DIGITS = 1, 600_000_000, 3  # microseconds
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
SHIFT = 13  # a step of the quick counter: 8 microseconds, in nanoseconds and by powers of two


class Latencies:
    """Counts of microseconds."""

    def __init__(self) -> None:
        self.hdr: Any = HdrHistogram(LOWEST, HIGHEST, DIGITS)

    def add(self, nanoseconds: int, count: int = 1) -> None:
        self.hdr.record_value(min(HIGHEST, max(LOWEST, nanoseconds // 1000)), count)

    def merge(self, encoded: bytes) -> None:
        """What another process has encoded."""
        self.hdr.decode_and_add(encoded)

    def encode(self) -> bytes:
        return bytes(self.hdr.encode())

    @property
    def count(self) -> int:
        return int(self.hdr.get_total_count())

    def ms(self, percentile: float) -> float:
        """Milliseconds; the largest value that was recorded for 100."""
        if percentile >= 100:
            return float(self.hdr.get_max_value()) / 1000
        return float(self.hdr.get_value_at_percentile(percentile)) / 1000

    def summary(self) -> dict[str, float]:
        """Milliseconds by name of the percentile, and the count; empty when nothing was recorded."""
        if not self.count:
            return {}
        return {name: round(self.ms(percent), 3) for name, percent in PERCENTILES.items()} | {"count": self.count}


class Recorder:
    """What one worker measures in one second, by name. A delivery costs one addition; histograms come later."""

    def __init__(self) -> None:
        self.quick: dict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, name: str, nanoseconds: int) -> None:
        self.quick[name][nanoseconds >> SHIFT] += 1

    def take(self) -> dict[str, bytes]:
        """Encoded histograms of what came since the last time."""
        encoded = {}
        for name, counts in self.quick.items():
            if counts:
                latencies = Latencies()
                for step, count in counts.items():
                    latencies.add((step << SHIFT) + (1 << (SHIFT - 1)), count)
                encoded[name] = latencies.encode()
                counts.clear()
        return encoded
