"""The report of a run: one file that opens without a network, on a phone and on a desk."""

import itertools
import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pytest

from loadtest.core.figures import format_number, linear_ticks
from loadtest.core.latency import LatencyHistogram
from loadtest.load.report import render_report
from loadtest.load.report.plot import Line, Plot, thin_out
from tests.browser.window import chromium


def result(**changes: Any) -> Any:
    """Of a ramp, with everything that a report can show."""
    dice = random.Random(7)
    latencies = LatencyHistogram()
    for _ in range(2000):
        latencies.add(int(dice.lognormvariate(3, 0.6) * 1e6))
    summary = latencies.summarize()
    assert summary
    rows = [
        {"second": second, "phase": 1, "deliveries": 15_000 + dice.randrange(900), "sent": 150, "sockets": 2000,
         "latency_ms": {"delivery": {**summary, "p99": summary["p99"] * (1 + math.sin(second / 9) / 3)}},
         "generator_cpu": 0.3 + dice.random() / 9, "generator_waited": 0.02}
        for second in range(60)
    ]  # fmt: skip
    names = ("redis", "web", "ws1", "ws2", "nginx")
    server = [
        {
            "second": second,
            "cpu": dict.fromkeys(names, dice.random() / 3),
            "mib": dict.fromkeys(names, 90.0 + second / 9),
        }
        for second in range(60)
    ]
    steps = [{"rate": 100 * 1.3**n, "p99_ms": 20 * 1.7**n, "held": n < 5, "why": "p99", "void": []} for n in range(7)]
    phase = {"name": "talk", "seconds": 40, "rate": 150.0, "counts": True, "starts": 12.0, "deliveries": 600_000,
             "latency_ms": {"delivery": summary}}  # fmt: skip
    oracle = dict.fromkeys(("lost", "duplicated", "out_of_order", "phantom", "unacked", "refused", "not_recovered"), 0)
    return {
        "version": 2, "measured_at": "2026-11-21T10:00Z", "scenario": "ramp", "question": "How much?",
        "plan": {"sockets": 2000, "rooms": 20, "members": 100.0, "url": "https://<b>chat</b>.example.org", "rate": 7.5,
                 "characters": 120},
        "versions": {"Python": "3.11"}, "machine": {"cores": 2, "kernel": "6.1"}, "seconds": 90.0,
        "oracle": {"sent": 6000, "acked": 6000, "expected": 600_000, "deliveries": 600_000, **oracle},
        "rates": {"messages_per_s": 150.0, "deliveries_per_s": 15_000.0},
        "latency_ms": {"delivery": summary, "ack": summary, "lag": summary, "loop": summary, "handshake": summary},
        "counters": {"closed": {"1012": 3}}, "phases": [phase],
        "generator": {"workers": 1, "cpu_mean": 0.3, "cpu_max": 0.5, "waited_mean": 0.0, "peak_mib": 90.0,
                      "clocks": [{"worker": "here_1", "offset_ms": 0.0, "uncertain_ms": 0.2,
                                  "wall_clock_ahead_ms": 0.1}]},
        "server": {"cpu": dict.fromkeys(names, 0.2), "us_per_delivery": dict.fromkeys(names, 5.0),
                   "mib": dict.fromkeys(names, 99.0), "kib_per_socket": dict.fromkeys(names, 16.0), "accept_ms": 2.0,
                   "memory_mib_per_h": 1.5, "series": server},
        "series": rows, "histograms": {"delivery": encoded(latencies)},
        "knee": {"messages_per_s": 285.6, "deliveries_per_s": 28_561, "broke_at": 371.3, "why": "p99 was 284 ms",
                 "budget_ms": 250.0, "steps": steps},
        "slo": [{"threshold": "lost <= 0", "value": 0, "holds": True},
                {"threshold": "p99_delivery_ms <= 10", "value": summary["p99"], "holds": False}],
        "failed": ["p99_delivery_ms <= 10 does not hold: it is 80."], "void": [], "verdict": "fail", **changes,
    }  # fmt: skip


def encoded(latencies: LatencyHistogram) -> str:
    import base64

    return base64.b64encode(latencies.encode()).decode()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    before = result(
        latency_ms={"delivery": {"p50": 10.0, "p90": 20.0, "p99": 30.0, "p999": 40.0, "max": 50.0, "count": 9}}
    )
    file.write_text(render_report(result(), before))
    return file


def test_it_needs_nothing_from_anywhere(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|url\(", text)
    assert set(re.findall(r"""(?:src|href)=["'](.*?)["']""", text)) == set()
    assert "default-src 'none'" in text
    assert "<b>chat</b>" not in text, "what a result says is text"


@pytest.mark.parametrize(("width", "scheme"), itertools.product((390, 1280), ("light", "dark")))
def test_it_opens_offline_on_any_screen(page: Path, width: int, scheme: str) -> None:
    with chromium() as browser:
        context = browser.new_context(offline=True, viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
        tab = context.new_page()
        problems: list[str] = []
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("requestfailed", lambda request: problems.append(request.url))
        tab.goto(page.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == width, "nothing to push sideways"
        assert tab.locator("figure").count() == 8
        drawn = tab.locator("polyline").evaluate_all("lines => lines.map(line => line.getBoundingClientRect().width)")
        assert min(drawn) > 50, "every line is there to be seen"
        assert tab.locator(".verdict").inner_text().startswith("Failed.")
        assert tab.get_by_role("table").filter(has_text="Against before").count() == 1
        light = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(250, 248, 244)"
        assert light == (scheme == "light")
        assert problems == []


def test_a_run_with_hardly_anything_has_a_report_too() -> None:
    bare = result(
        series=[], server=None, histograms={}, latency_ms={}, phases=[], counters={}, void=["Late."], verdict="void"
    )
    del bare["knee"]
    text = render_report(json.loads(json.dumps(bare)))
    assert "<b>Void.</b>" in text
    assert "<li>Late.</li>" in text
    assert "<figure>" not in text


def test_labels_are_round_and_short() -> None:
    assert linear_ticks(87) == [0, 25, 50, 75, 100]
    assert linear_ticks(0) == [0, 1]
    assert [format_number(value) for value in (0, 0.05, 3.4, 12, 999, 1234, 12_000, 3_400_000)] == [
        "0", "0.05", "3.4", "12", "999", "1,234", "12k", "3.4M",
    ]  # fmt: skip


def test_long_runs_are_thinned_and_their_peaks_stay() -> None:
    points = [(float(second), 1.0) for second in range(10_000)]
    points[7777] = (7777.0, 99.0)
    assert len(thin_out(points)) <= 240
    assert max(y for _, y in thin_out(points, peaks=True)) == 99.0


def test_a_plot_of_one_point_is_drawn() -> None:
    assert "<polyline" in Plot("One", "ms", [Line("a", [(1.0, 0.0)])]).to_html()
