"""The plots of a result, and what each shows."""

import base64
from typing import Any, Literal

from loadtest.core.latency import LatencyHistogram
from loadtest.load.report.plot import TONES, Line, Plot, Point, thin_out
from loadtest.load.result import LoadResult

TAIL = (50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100)  # percentiles
TAIL_LABELS = (90, 99, 99.9)


def build_plots(result: LoadResult, baseline: LoadResult | None) -> list[Plot]:
    """Return the plots that have points, in the order of the page."""
    made = [
        plot_knee(result),
        plot_latency(result),
        plot_deliveries(result),
        plot_tail(result, baseline),
        plot_sockets(result),
        plot_server_cpu(result),
        plot_server_memory(result),
        plot_generator(result),
    ]
    return [one for one in made if one and any(line.points for line in one.lines)]


def plot_latency(result: LoadResult) -> Plot:
    """Show p99 and p50 of delivery over time."""
    lines = [
        Line("p99", _over_time(result, "latency_ms", "delivery", "p99", peaks=True), "accent"),
        Line("p50", _over_time(result, "latency_ms", "delivery", "p50"), "muted"),
    ]
    note = "From the moment a message was due to its arrival at each member."
    return Plot("Delivery", "ms", lines, bands=_bands(result), note=note)


def plot_deliveries(result: LoadResult) -> Plot:
    """Show deliveries over time."""
    lines = [Line("deliveries", _over_time(result, "deliveries"), "accent", filled=True)]
    return Plot("Deliveries", "a second", lines, bands=_bands(result))


def plot_sockets(result: LoadResult) -> Plot:
    """Show joined sockets over time."""
    lines = [Line("open", _over_time(result, "sockets"), "online", filled=True)]
    return Plot("Sockets", "that are in their rooms", lines, bands=_bands(result))


def plot_tail(result: LoadResult, baseline: LoadResult | None) -> Plot | None:
    """Show the percentiles of delivery, beside those of the baseline."""
    lines = []
    for name, tone, one in (("baseline", "muted", baseline), ("this run", "accent", result)):
        if one and (encoded := one["histograms"].get("delivery")):
            latencies = LatencyHistogram()
            latencies.merge(base64.b64decode(encoded))
            if latencies.count:
                points = [(float(at), latencies.percentile_ms(percent)) for at, percent in enumerate(TAIL)]
                lines.append(Line(name, points, tone, dots=True))
    if not lines:
        return None
    marks = [(float(at), f"{percent:g}%") for at, percent in enumerate(TAIL) if percent in TAIL_LABELS]
    note = "The median is left, the worst is right: at 99% one delivery in a hundred took longer."
    return Plot("Percentiles of delivery", "ms", lines, x_unit="", logarithmic=True, marks=marks, note=note)


def plot_knee(result: LoadResult) -> Plot | None:
    """Show p99 against the rate, and the highest rate that held."""
    if not (found := result.get("knee")):
        return None
    held = [(step["rate"], step["p99_ms"]) for step in found["steps"] if step["held"]]
    broke = [(step["rate"], step["p99_ms"]) for step in found["steps"] if not step["held"]]
    lines = [Line("held", held, "online", dots=True)]
    if broke:
        lines.append(Line("broke", broke, "danger", dots=True))
    note = f"{found['messages_per_s']:,.1f} messages a second held: {found['deliveries_per_s']:,} deliveries."
    limit = f" The limit was: {found['why']}."
    note += f" At {found['broke_at']:,.1f}: {found['why']}." if found["broke_at"] else limit
    marks = [(found["messages_per_s"], "knee")] if found["messages_per_s"] else []
    return Plot(
        "The knee", "ms, p99 of delivery", lines, x_unit="messages/s", limit=found["budget_ms"], logarithmic=True,
        note=note, marks=marks,
    )  # fmt: skip


def plot_server_cpu(result: LoadResult) -> Plot:
    """Show CPU of the server's processes over time."""
    return Plot("CPU of the server", "% of a core", _server_lines(result, "cpu", 100), bands=_bands(result))


def plot_server_memory(result: LoadResult) -> Plot:
    """Show resident memory of the server's processes over time."""
    return Plot("Memory of the server", "MiB", _server_lines(result, "mib", 1), bands=_bands(result))


def plot_generator(result: LoadResult) -> Plot:
    """Show how busy the generator was, and the limit above which the run is void."""
    points = [(x, y * 100) for x, y in _over_time(result, "generator_cpu", peaks=True)]
    waited = [(x, y * 100) for x, y in _over_time(result, "generator_waited", peaks=True)]
    lines = [Line("busy", points, "ink"), Line("waited for a core", waited, "warn")]
    note = "The busiest worker. Above 90% the generator measures itself, and the run is void."
    return Plot("The generator", "% of a core", lines, bands=_bands(result), limit=90, note=note)


def _over_time(result: LoadResult, *path: str, peaks: bool = False) -> list[Point]:
    points = []
    for row in result["series"]:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            points.append((float(row["second"]), float(value)))
    return thin_out(points, peaks=peaks)


def _bands(result: LoadResult) -> list[tuple[float, float, str]]:
    return [
        (phase["starts"], phase["starts"] + phase["seconds"], phase["name"])
        for phase in result["phases"]
        if phase["counts"]
    ]


def _server_lines(result: LoadResult, what: Literal["cpu", "mib"], factor: float) -> list[Line]:
    server = result["server"]
    series = server["series"] if server else []
    names = sorted({name for row in series for name in row[what]})
    return [
        Line(name, thin_out([(row["second"], row[what].get(name, 0.0) * factor) for row in series]), tone)
        for name, tone in zip(names, TONES, strict=False)
    ]
