"""The picture shows the results that there are."""

from pathlib import Path

import pytest

from loadtest.bench import plot
from tests.loadtest.test_bench_report import phase, result

PNG = b"\x89PNG\r\n\x1a\n"
ALL_NAMES = [*plot.BEHIND_TLS, *plot.DIRECT]


def height(path: Path) -> int:
    data = path.read_bytes()
    assert data.startswith(PNG)
    return int.from_bytes(data[20:24], "big")


def test_more_results_make_a_higher_picture_of_the_same_width(tmp_path: Path) -> None:
    few, one_size, all_sizes = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"
    plot.draw_results([result("parley-tls", 10.0), result("tutorial-tls", 300.0)], {}, "1 May 2026", few)
    plot.draw_results([result(name, 10.0) for name in ALL_NAMES], {}, "1 May 2026", one_size)
    plot.draw_results(
        [result(name, 10.0, size) for name in ALL_NAMES for size in (10, 1_000)], {}, "1 May 2026", all_sizes
    )
    assert height(few) < height(one_size) < height(all_sizes)


def test_bars_are_sorted_and_nginx_is_the_light_part() -> None:
    bars = plot.cost_bars([result("socketio-tls", 25.0), result("parley-tls", 10.0)], plot.BEHIND_TLS, 1_000)
    assert bars == [("Parley", 8.0, 2.0, True), ("Socket.IO", 23.0, 2.0, False)]


def test_a_contender_that_cannot_keep_up_has_no_latency() -> None:
    late = result("tutorial", 300.0, high_rate=phase(300.0, latency_ms={"p99": 9_000.0}, overloaded=True))
    assert plot.latency_bars([late, result("parley", 10.0)], plot.DIRECT, 1_000) == [("Parley", 12.34, 0.0, True)]


@pytest.mark.parametrize(
    ("values", "edge"),
    [([10.0, 12.0, 30.0], 30.0), ([10.0, 15.0, 300.0], 24.0), ([10.0, 15.0, 240.0, 300.0], 24.0), ([5.0], 5.0)],
)
def test_only_a_bar_that_is_much_longer_is_broken(values: list[float], edge: float) -> None:
    assert plot.find_edge(values) == pytest.approx(edge)
