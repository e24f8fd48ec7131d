"""Thresholds and comparisons."""

from typing import Any

import pytest

from loadtest.load.comparison import Change
from loadtest.load.generator_health import find_void_reasons
from loadtest.load.slo import BadThreshold, Threshold, check_thresholds, parse_thresholds


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("p99_delivery_ms=250", 250.0, True),
        ("p99_delivery_ms=250", 250.1, False),
        ("p99_delivery_ms <= 0.5", 0.4, True),
        ("deliveries_per_s>=5000", 4999.0, False),
        ("deliveries_per_s>=5000", 5000.0, True),
        ("lost=0", 1.0, False),
    ],
)
def test_a_threshold_holds_or_does_not(text: str, value: float, holds: bool) -> None:
    one = Threshold.parse(text)
    assert check_thresholds([one], {one.name: value}) == [{"threshold": str(one), "value": value, "holds": holds}]


@pytest.mark.parametrize("text", ["p99", "p99=", "=3", "p99_delivery_ms<250", "p99_delivery_ms=fast", "P99=1"])
def test_a_text_that_is_not_a_threshold_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadThreshold, match="p99_delivery_ms=250"):
        Threshold.parse(text)


def test_faults_fail_a_run_unless_they_are_allowed() -> None:
    assert {str(one) for one in parse_thresholds([])} >= {"lost <= 0", "phantom <= 0", "unacked <= 0"}
    assert [str(one) for one in parse_thresholds(["lost=3"]) if one.name == "lost"] == ["lost <= 3"]


def test_a_threshold_without_a_measured_value_does_not_hold() -> None:
    assert check_thresholds([Threshold.parse("p99_caught_up_ms=500")], {"lost": 0})[0]["holds"] is False


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(BadThreshold, match=r"No figure is called latency; there are lost\."):
        check_thresholds([Threshold.parse("latency=3")], {"lost": 0})


@pytest.mark.parametrize(
    ("name", "before", "now", "verdict"),
    [
        ("p99_delivery_ms", 100, 109, "same"),
        ("p99_delivery_ms", 100, 130, "worse"),
        ("p99_delivery_ms", 100, 70, "better"),
        ("deliveries_per_s", 100, 130, "better"),
        ("knee_messages_per_s", 100, 70, "worse"),
        ("lost", 0, 0, "same"),
        ("lost", 0, 1, "worse"),
    ],
)
def test_a_change_is_better_worse_or_neither(name: str, before: float, now: float, verdict: str) -> None:
    assert Change(name, before, now).verdict == verdict


def latencies(**p99: float) -> Any:
    return {name: {"p99": value} for name, value in p99.items()}


def test_a_generator_on_time_voids_nothing() -> None:
    assert find_void_reasons(latencies(lag=49.0, loop=12.0), [0.5, 0.95]) == []


def test_a_generator_that_is_late_or_busy_has_reasons() -> None:
    reasons = find_void_reasons(latencies(lag=80.0, loop=70.0), [0.95, 0.99])
    assert [word in reason for word, reason in zip(("late", "stood still", "97%"), reasons, strict=True)] == [True] * 3
