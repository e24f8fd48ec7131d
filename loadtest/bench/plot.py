"""The results as one picture, upright and large enough to be read on a phone."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

from loadtest.bench.measure import Load, Result
from loadtest.bench.results import found
from loadtest.bench.table import dig

# The interface's light colours.
PAPER, INK, MUTED, LINE = "#faf8f4", "#1d1b18", "#6b655c", "#e6e0d6"
ACCENT, ACCENT_LIGHT = "#b0431a", "#e0a58b"
OTHER, OTHER_LIGHT = "#8d857a", "#cdc5b9"

BEHIND_TLS = {
    "parley-tls": "Parley",
    "parley-uvicorn-tls": "Parley on uvicorn",
    "nchan-tls": "nchan",
    "socketio-tls": "Socket.IO",
    "tutorial-tls": "Channels tutorial",
}
DIRECT = {
    "parley": "Parley",
    "parley-uvicorn": "Parley on uvicorn",
    "nchan": "nchan",
    "nats": "NATS",
    "broadcast": "websockets",
    "socketio": "Socket.IO",
    "tutorial-pubsub": "Tutorial, pub/sub",
    "tutorial": "Channels tutorial",
}
BAR = 0.42  # inches of height for each
LEAP = 6  # a bar so many times longer than the one before it is torn off, so that the others can be told apart,
TORN = 1.6  # and drawn so many times longer
Bars = list[tuple[str, float, float, bool]]  # name, dark part, light part, whether it is ours


def draw(results: Sequence[Result], versions: dict[str, str], date: str, path: Path) -> None:
    """Write the PNG. Panels without figures are left out."""
    size = 1000 if any(result["size"] == 1000 for result in results) else max(result["size"] for result in results)
    rate = f"{Load.of(size, 0).brisk:g} messages/s to {size:,} members"
    late = any(dig(found(results, name, size) or {}, "brisk", "overloaded") for name in DIRECT)
    panels: list[tuple[str, str, Bars]] = [
        (
            "CPU per delivery behind nginx with TLS",
            f"µs, {rate}; dark: server, light: nginx",
            costs(results, BEHIND_TLS, size),
        ),
        ("CPU per delivery, no proxy", f"µs, {rate}", costs(results, DIRECT, size)),
        (
            "99 of 100 deliveries take less than",
            f"ms, {rate}{'; the tutorial cannot keep up' if late else ''}",
            latencies(results, DIRECT, size),
        ),
    ]
    panels = [panel for panel in panels if panel[2]]
    lines = curves(results)
    heights = [BAR * len(bars) for _, _, bars in panels] + ([2.6] if lines else [])
    total = sum(heights) + 1.05 * len(heights) + 1.0
    figure = Figure(figsize=(7.2, total), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    figure.text(0.05, 1 - 0.35 / total, "What one delivery costs", size=21, weight="bold", color=INK, va="center")
    words = f"{date}, {versions.get('cores', '?')} cores, Python {versions.get('Python', '?')}; shorter is better"
    figure.text(0.05, 1 - 0.7 / total, words, size=11.5, color=MUTED, va="center")
    top = total - 1.75
    for (title, unit, bars), height in zip(panels, heights, strict=False):
        axes = figure.add_axes((0.33, (top - height) / total, 0.6, height / total))
        heading(figure, title, unit, (top + 0.36) / total, total)
        draw_bars(axes, bars)
        top -= height + 1.05
    if lines:
        axes = figure.add_axes((0.11, (top - heights[-1]) / total, 0.62, heights[-1] / total))
        heading(figure, "CPU per delivery by size of room", "µs at saturation, no proxy", (top + 0.36) / total, total)
        draw_curves(axes, lines)
    figure.savefig(path, facecolor=PAPER)


def heading(figure: Any, title: str, unit: str, at: float, total: float) -> None:
    figure.text(0.05, at, title, size=14.5, weight="bold", color=INK, va="center")
    figure.text(0.05, at - 0.24 / total, unit, size=11, color=MUTED, va="center")


def costs(results: Sequence[Result], names: dict[str, str], size: int) -> Bars:
    """CPU at the brisk rate, smallest first."""
    bars: Bars = []
    for name, title in names.items():
        parts = dig(found(results, name, size) or {}, "brisk", "us")
        if parts:
            light = parts.get("nginx", 0.0)
            bars.append((title, parts["total"] - light, light, name.startswith("parley")))
    return sorted(bars, key=lambda bar: bar[1] + bar[2])


def latencies(results: Sequence[Result], names: dict[str, str], size: int) -> Bars:
    """p99 at the brisk rate of those who keep up with it."""
    bars: Bars = []
    for name, title in names.items():
        result = found(results, name, size) or {}
        times = dig(result, "brisk", "latency_ms")
        if times and not dig(result, "brisk", "overloaded"):
            bars.append((title, times["p99"], 0.0, name.startswith("parley")))
    return sorted(bars, key=lambda bar: bar[1])


def draw_bars(axes: Any, bars: Bars) -> None:
    values = [dark + light for _, dark, light, _ in bars]
    edge = limit(values)
    for place, (title, dark, light, ours) in enumerate(bars):
        colours = (ACCENT, ACCENT_LIGHT) if ours else (OTHER, OTHER_LIGHT)
        axes.barh(place, min(dark, edge), height=0.62, color=colours[0], linewidth=0)
        if light and dark < edge:
            axes.barh(place, min(light, edge - dark), left=dark, height=0.62, color=colours[1], linewidth=0)
        value, torn = dark + light, dark + light > edge
        if torn:  # two strokes through the bar
            for shift in (0.90, 0.92):
                axes.plot([edge * shift, edge * (shift + 0.02)], [place + 0.4, place - 0.4], color=PAPER, linewidth=3)
        weight = "bold" if ours else "normal"
        text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
        axes.text(min(value, edge) + edge * 0.015, place, text, va="center", size=12.5, weight=weight, color=INK)
        axes.text(-edge * 0.02, place, title, va="center", ha="right", size=12, weight=weight, color=INK)
    axes.set_xlim(0, edge * 1.14)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    bare(axes)
    axes.set_xticks([])
    axes.set_yticks([])


def limit(values: Sequence[float]) -> float:
    """How long the longest bar is drawn: a leap to many times the value ends the scale a little behind it."""
    ordered = sorted(values)
    for shorter, longer in pairwise(ordered):
        if longer > LEAP * shorter > 0:
            return shorter * TORN
    return ordered[-1]


def curves(results: Sequence[Result]) -> list[tuple[str, list[tuple[int, float]], bool]]:
    """For each the cost at saturation by size, where there are two sizes at least."""
    found_curves = []
    for name in ("parley", "nchan", "nats", "broadcast", "socketio", "tutorial"):
        points = sorted(
            (result["size"], result["saturation"]["us"]["total"])
            for result in results
            if result["contender"] == name and dig(result, "saturation", "us", "total")
        )
        if len(points) > 1:
            found_curves.append((DIRECT[name], points, name == "parley"))
    return found_curves


def draw_curves(axes: Any, lines: list[tuple[str, list[tuple[int, float]], bool]]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for title, points, ours in lines:
        sizes, values = zip(*points, strict=True)
        colour, width = (ACCENT, 3.0) if ours else (OTHER, 1.4)
        axes.plot(sizes, values, color=colour, linewidth=width, marker="o", markersize=6 if ours else 4, label=title)
    ends = sorted((points[-1][1], title, ours) for title, points, ours in lines)
    room = max(1.0, ends[-1][0] / ends[0][0]) ** (1 / max(1, len(ends) - 1))
    step, last = max(1.2, min(room, 1.32)), 0.0
    for value, title, ours in ends:  # names beside the ends of their lines, pushed apart where they would overlap
        last = max(value, last * step)
        weight, colour = ("bold", ACCENT) if ours else ("normal", INK)
        place = axes.get_xlim()[1] * 1.05
        axes.text(place, last, title, size=11, va="center", weight=weight, color=colour)
    ticks = sorted({size for _, points, _ in lines for size, _ in points})
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    marks = [mark for mark in (1, 3, 10, 30, 100, 300, 1000) if low <= mark <= high]
    axes.set_yticks(marks, [str(mark) for mark in marks])
    axes.grid(axis="y", color=LINE, linewidth=1)
    bare(axes)


def bare(axes: Any) -> None:
    axes.set_facecolor(PAPER)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=11, labelcolor=MUTED)
