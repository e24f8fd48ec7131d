"""Nearest rank, as the definition has it."""

import pytest

from loadtest.bench.percentiles import percentile, summary


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
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
def test_a_percentile_is_a_value_that_occurred(values: list[float], percent: float, wanted: float) -> None:
    assert percentile(values, percent) == wanted


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_summary_sorts_and_divides() -> None:
    times = [3_000_000, 1_000_000, 2_000_000]
    assert summary(times, per=1e6) == {"p50": 2.0, "p95": 3.0, "p99": 3.0, "max": 3.0}
    assert summary([]) == {}
