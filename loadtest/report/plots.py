"""The plots of a result, and what each says."""

import base64
from typing import Any

from loadtest.histogram import Latencies
from loadtest.report.plot import TONES, Line, Plot, Point, thinned

TAIL = (50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100)


def plots(result: dict[str, Any], before: dict[str, Any] | None) -> list[Plot]:
    """Those that have something to show, in the order of the page."""
    made = [knee(result), latency(result), deliveries(result), tail(result, before), sockets(result)]
    made += [server_cpu(result), server_memory(result), generator(result)]
    return [one for one in made if one and any(line.points for line in one.lines)]


def _over_time(result: dict[str, Any], *path: str, peaks: bool = False) -> list[Point]:
    points = []
    for row in result["series"]:
        value: Any = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            points.append((float(row["second"]), float(value)))
    return thinned(points, peaks=peaks)


def _bands(result: dict[str, Any]) -> list[tuple[float, float, str]]:
    return [
        (phase["starts"], phase["starts"] + phase["seconds"], phase["name"])
        for phase in result["phases"]
        if phase["counts"]
    ]


def latency(result: dict[str, Any]) -> Plot:
    """Delivery, over time."""
    lines = [
        Line("p99", _over_time(result, "latency_ms", "delivery", "p99", peaks=True), "accent"),
        Line("p50", _over_time(result, "latency_ms", "delivery", "p50"), "muted"),
    ]
    return Plot(
        "Delivery", "ms", lines, bands=_bands(result), note="From when a message was due to its arrival at each member."
    )


def deliveries(result: dict[str, Any]) -> Plot:
    lines = [Line("deliveries", _over_time(result, "deliveries"), "accent", filled=True)]
    return Plot("Deliveries", "a second", lines, bands=_bands(result))


def sockets(result: dict[str, Any]) -> Plot:
    lines = [Line("open", _over_time(result, "sockets"), "online", filled=True)]
    return Plot("Sockets", "that are in their rooms", lines, bands=_bands(result))


def tail(result: dict[str, Any], before: dict[str, Any] | None) -> Plot | None:
    """The distribution: how bad it is for how few."""
    lines = []
    for name, tone, one in (("before", "muted", before), ("this run", "accent", result)):
        if one and (encoded := one["histograms"].get("delivery")):
            latencies = Latencies()
            latencies.merge(base64.b64decode(encoded))
            if latencies.count:
                lines.append(Line(name, [(at, latencies.ms(p)) for at, p in enumerate(TAIL)], tone, dots=True))
    if not lines:
        return None
    marks = [(float(at), f"{p:g}%") for at, p in enumerate(TAIL) if p in (90, 99, 99.9)]
    return Plot(
        "How late for how few", "ms", lines, x_unit="", logarithmic=True, marks=marks,
        note="Left the median, right the worst: at 99% one delivery in a hundred took longer.",
    )  # fmt: skip


def knee(result: dict[str, Any]) -> Plot | None:
    """p99 against the rate: where it breaks."""
    if not (found := result.get("knee")):
        return None
    held = [(step["rate"], step["p99_ms"]) for step in found["steps"] if step["held"]]
    broke = [(step["rate"], step["p99_ms"]) for step in found["steps"] if not step["held"]]
    lines = [Line("held", held, "online", dots=True)]
    if broke:
        lines.append(Line("broke", broke, "danger", dots=True))
    note = f"{found['messages_per_s']:,.1f} messages a second held: {found['deliveries_per_s']:,} deliveries."
    limit = f" No more because of {found['why']}."
    note += f" At {found['broke_at']:,.1f}: {found['why']}." if found["broke_at"] else limit
    marks = [(found["messages_per_s"], "knee")] if found["messages_per_s"] else []
    return Plot(
        "The knee", "ms, p99 of delivery", lines, x_unit="messages/s", limit=found["budget_ms"], logarithmic=True,
        note=note, marks=marks,
    )  # fmt: skip


def _server(result: dict[str, Any], what: str) -> list[Line]:
    series = (result.get("server") or {}).get("series", [])
    names = sorted({name for row in series for name in row[what]})
    factor = 100 if what == "cpu" else 1
    return [
        Line(name, thinned([(row["second"], row[what].get(name, 0.0) * factor) for row in series]), tone)
        for name, tone in zip(names, TONES, strict=False)
    ]


def server_cpu(result: dict[str, Any]) -> Plot:
    return Plot("CPU of the server", "% of a core", _server(result, "cpu"), bands=_bands(result))


def server_memory(result: dict[str, Any]) -> Plot:
    return Plot("Memory of the server", "MiB", _server(result, "mib"), bands=_bands(result))


def generator(result: dict[str, Any]) -> Plot:
    points = [(x, y * 100) for x, y in _over_time(result, "generator_cpu", peaks=True)]
    waited = [(x, y * 100) for x, y in _over_time(result, "generator_waited", peaks=True)]
    lines = [Line("busy", points, "ink"), Line("waited for a core", waited, "warn")]
    note = "Of the busiest worker. Above 90% it measures itself, and the run is void."
    return Plot("The generator", "% of a core", lines, bands=_bands(result), limit=90, note=note)
