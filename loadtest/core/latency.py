"""Latencies in HDR histograms: three significant digits, from a microsecond to ten minutes, merged without loss."""

from collections import defaultdict
from typing import Any, TypedDict, cast

from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 600_000_000, 3
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
BUCKET_SHIFT = 13  # a bucket of a recorder is 2 ** 13 nanoseconds wide: 8 microseconds


class LatencySummary(TypedDict):
    """Percentiles in milliseconds, and the number of values."""

    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    count: int


class LatencyHistogram:
    """A histogram of latencies."""

    def __init__(self) -> None:
        self.hdr: Any = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)

    def add(self, nanoseconds: int, count: int = 1) -> None:
        """Add a latency, `count` times."""
        self.hdr.record_value(min(HIGHEST_US, max(LOWEST_US, nanoseconds // 1000)), count)

    def add_buckets(self, buckets: dict[int, int], shift: int) -> None:
        """Add what a loop has counted in buckets of 2 ** shift nanoseconds."""
        middle = (1 << shift) >> 1
        for bucket, count in buckets.items():
            self.add((bucket << shift) + middle, count)

    def merge(self, encoded: bytes) -> None:
        """Add what another process has encoded."""
        self.hdr.decode_and_add(encoded)

    def encode(self) -> bytes:
        """Return the histogram in HDR's own compressed format."""
        return bytes(self.hdr.encode())

    @property
    def count(self) -> int:
        """The number of latencies."""
        return int(self.hdr.get_total_count())

    def percentile_ms(self, percentile: float) -> float:
        """Return a percentile in milliseconds; the largest latency for 100."""
        if percentile >= 100:
            return float(self.hdr.get_max_value()) / 1000
        return float(self.hdr.get_value_at_percentile(percentile)) / 1000

    def summarize(self) -> LatencySummary | None:
        """Return the percentiles; None if nothing was recorded."""
        if not self.count:
            return None
        found = {name: round(self.percentile_ms(percent), 3) for name, percent in PERCENTILES.items()}
        return cast("LatencySummary", {**found, "count": self.count})


class LatencyRecorder:
    """Latencies by name since the last `take`. To add one costs one addition; histograms are made by `take`."""

    def __init__(self) -> None:
        self.buckets: dict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, name: str, nanoseconds: int) -> None:
        """Add a latency."""
        self.buckets[name][nanoseconds >> BUCKET_SHIFT] += 1

    def take(self) -> dict[str, bytes]:
        """Return the encoded histograms by name, and start anew."""
        encoded = {}
        for name, buckets in self.buckets.items():
            if buckets:
                latencies = LatencyHistogram()
                latencies.add_buckets(buckets, BUCKET_SHIFT)
                encoded[name] = latencies.encode()
                buckets.clear()
        return encoded
