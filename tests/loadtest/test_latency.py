"""Percentiles by nearest rank, within the three significant digits of a histogram."""

import pytest

from loadtest.core.latency import LatencyHistogram

MS = 1_000_000


def histogram(values_ms: list[float]) -> LatencyHistogram:
    latencies = LatencyHistogram()
    for value in values_ms:
        latencies.add(int(value * MS))
    return latencies


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([15, 20, 35, 40, 50], 30, 20),
        ([15, 20, 35, 40, 50], 40, 20),
        ([15, 20, 35, 40, 50], 50, 35),
        ([15, 20, 35, 40, 50], 100, 50),
        ([7], 1, 7),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 1001)), 99, 990),
    ],
)
def test_a_percentile_is_a_value_that_occurred(values: list[float], percent: float, expected: float) -> None:
    assert histogram(values).percentile_ms(percent) == pytest.approx(expected, rel=1e-3)


def test_nothing_has_no_summary() -> None:
    assert LatencyHistogram().summarize() is None


def test_a_summary_has_every_percentile_in_milliseconds() -> None:
    summary = histogram([3, 1, 2]).summarize()
    assert summary == pytest.approx(
        {"p50": 2.0, "p90": 3.0, "p95": 3.0, "p99": 3.0, "p999": 3.0, "max": 3.0, "count": 3}, rel=1e-3
    )


def test_buckets_are_counted_in_their_middle() -> None:
    latencies = LatencyHistogram()
    latencies.add_buckets({3_000_000 >> 10: 5}, shift=10)
    assert latencies.count == 5
    assert latencies.percentile_ms(50) == pytest.approx(3.0, rel=1e-3)
