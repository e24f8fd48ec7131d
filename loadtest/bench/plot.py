"""The results as one picture, upright and large enough to be read on a phone.

It is drawn by matplotlib and not by `loadtest.load.report`: README.md shows it as one PNG file, with its text inside,
while a report is an HTML page around drawings without text.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

from loadtest.bench.measure import RoomLoad
from loadtest.bench.result import TOTAL, RoomResult, find_result, get_figure
from loadtest.core.figures import LIGHT, log_ticks
from loadtest.core.program import OURS, TITLE

PAPER, INK, MUTED, LINE = LIGHT["paper"], LIGHT["ink"], LIGHT["muted"], LIGHT["line"]
ACCENT, ACCENT_LIGHT = LIGHT["accent"], "#e0a58b"
OTHER, OTHER_LIGHT = "#8d857a", "#cdc5b9"

BEHIND_TLS = {
    f"{OURS}-tls": TITLE,
    "nchan-tls": "nchan",
    "socketio-tls": "Socket.IO",
    "tutorial-tls": "Channels tutorial",
}
DIRECT = {
    OURS: TITLE,
    "nchan": "nchan",
    "nats": "NATS",
    "broadcast": "websockets",
    "socketio": "Socket.IO",
    "tutorial-pubsub": "Tutorial, pub/sub",
    "tutorial": "Channels tutorial",
}
BAR_INCHES = 0.42  # height of each
BREAK_FACTOR = 6  # a bar so many times longer than the one before it is broken, so that the others stay readable,
BROKEN_FACTOR = 1.6  # and as long as so many times that one


class Bar(NamedTuple):
    """One bar: a dark part, a light part behind it, and whether it is ours."""

    title: str
    dark: float
    light: float
    is_ours: bool


class Curve(NamedTuple):
    """One line: cost by size of room, and whether it is ours."""

    title: str
    points: list[tuple[int, float]]
    is_ours: bool


def draw_results(results: Sequence[RoomResult], versions: dict[str, str], date: str, path: Path) -> None:
    """Write the PNG. A panel without figures is left out.

    Args:
        results: of the comparison.
        versions: for the line below the title.
        date: for the same line.
        path: of the PNG.
    """
    size = 1000 if any(result["size"] == 1000 for result in results) else max(result["size"] for result in results)
    rate = f"{RoomLoad.of_size(size, 0).high_rate:g} messages/s to {size:,} members"
    late = any(get_figure(find_result(results, name, size), "high_rate", "overloaded") for name in DIRECT)
    panels: list[tuple[str, str, list[Bar]]] = [
        (
            "CPU per delivery behind nginx with TLS",
            f"µs, {rate}; dark: server, light: nginx",
            cost_bars(results, BEHIND_TLS, size),
        ),
        ("CPU per delivery, no proxy", f"µs, {rate}", cost_bars(results, DIRECT, size)),
        (
            "99 of 100 deliveries take less than",
            f"ms, {rate}{'; the tutorial cannot keep up' if late else ''}",
            latency_bars(results, DIRECT, size),
        ),
    ]
    panels = [panel for panel in panels if panel[2]]
    curves = cost_curves(results)
    heights = [BAR_INCHES * len(bars) for _, _, bars in panels] + ([2.6] if curves else [])
    total = sum(heights) + 1.05 * len(heights) + 1.0
    figure = Figure(figsize=(7.2, total), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    figure.text(0.05, 1 - 0.35 / total, "What one delivery costs", size=21, weight="bold", color=INK, va="center")
    text = f"{date}, {versions.get('cores', '?')} cores, Python {versions.get('Python', '?')}; shorter is better"
    figure.text(0.05, 1 - 0.7 / total, text, size=11.5, color=MUTED, va="center")
    top = total - 1.75
    for (title, unit, bars), height in zip(panels, heights, strict=False):
        axes = figure.add_axes((0.33, (top - height) / total, 0.6, height / total))
        draw_heading(figure, title, unit, (top + 0.36) / total, total)
        draw_bars(axes, bars)
        top -= height + 1.05
    if curves:
        axes = figure.add_axes((0.11, (top - heights[-1]) / total, 0.62, heights[-1] / total))
        draw_heading(
            figure, "CPU per delivery by size of room", "µs at saturation, no proxy", (top + 0.36) / total, total
        )
        draw_curves(axes, curves)
    figure.savefig(path, facecolor=PAPER)


def draw_heading(figure: Any, title: str, unit: str, at: float, total: float) -> None:
    """Draw the title of a panel at this height, a share of the figure's `total` inches, and its unit below."""
    figure.text(0.05, at, title, size=14.5, weight="bold", color=INK, va="center")
    figure.text(0.05, at - 0.24 / total, unit, size=11, color=MUTED, va="center")


def cost_bars(results: Sequence[RoomResult], names: dict[str, str], size: int) -> list[Bar]:
    """Return CPU at the high rate, smallest first, for these contenders and their titles."""
    bars = []
    for name, title in names.items():
        if parts := get_figure(find_result(results, name, size), "high_rate", "us_per_delivery"):
            light = parts.get("nginx", 0.0)
            bars.append(Bar(title, parts[TOTAL] - light, light, name.startswith(OURS)))
    return sorted(bars, key=lambda bar: bar.dark + bar.light)


def latency_bars(results: Sequence[RoomResult], names: dict[str, str], size: int) -> list[Bar]:
    """Return p99 at the high rate, smallest first, for the contenders that keep up with it."""
    bars = []
    for name, title in names.items():
        result = find_result(results, name, size)
        times = get_figure(result, "high_rate", "latency_ms")
        if times and not get_figure(result, "high_rate", "overloaded"):
            bars.append(Bar(title, times["p99"], 0.0, name.startswith(OURS)))
    return sorted(bars, key=lambda bar: bar.dark)


def draw_bars(axes: Any, bars: list[Bar]) -> None:
    """Draw the bars with their titles and values; a broken bar has two strokes through it."""
    edge = find_edge([bar.dark + bar.light for bar in bars])
    for place, (title, dark, light, is_ours) in enumerate(bars):
        colours = (ACCENT, ACCENT_LIGHT) if is_ours else (OTHER, OTHER_LIGHT)
        axes.barh(place, min(dark, edge), height=0.62, color=colours[0], linewidth=0)
        if light and dark < edge:
            axes.barh(place, min(light, edge - dark), left=dark, height=0.62, color=colours[1], linewidth=0)
        value, is_broken = dark + light, dark + light > edge
        if is_broken:
            for shift in (0.90, 0.92):
                axes.plot([edge * shift, edge * (shift + 0.02)], [place + 0.4, place - 0.4], color=PAPER, linewidth=3)
        weight = "bold" if is_ours else "normal"
        text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
        axes.text(min(value, edge) + edge * 0.015, place, text, va="center", size=12.5, weight=weight, color=INK)
        axes.text(-edge * 0.02, place, title, va="center", ha="right", size=12, weight=weight, color=INK)
    axes.set_xlim(0, edge * 1.14)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    remove_frame(axes)
    axes.set_xticks([])
    axes.set_yticks([])


def find_edge(values: Sequence[float]) -> float:
    """Return the value at which the longest bar ends: it is broken if it is BREAK_FACTOR times the next shorter."""
    ordered = sorted(values)
    for shorter, longer in pairwise(ordered):
        if longer > BREAK_FACTOR * shorter > 0:
            return shorter * BROKEN_FACTOR
    return ordered[-1]


def cost_curves(results: Sequence[RoomResult]) -> list[Curve]:
    """Return the cost at saturation by size of room, for contenders measured in two sizes at least."""
    curves = []
    for name in (OURS, "nchan", "nats", "broadcast", "socketio", "tutorial"):
        points = sorted(
            (result["size"], get_figure(result, "saturation", "us_per_delivery", TOTAL))
            for result in results
            if result["contender"] == name and get_figure(result, "saturation", "us_per_delivery", TOTAL)
        )
        if len(points) > 1:
            curves.append(Curve(DIRECT[name], points, name == OURS))
    return curves


def draw_curves(axes: Any, curves: list[Curve]) -> None:
    """Draw the curves on logarithmic axes, with their titles at their ends, pushed apart where they would overlap."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for title, points, is_ours in curves:
        sizes, values = zip(*points, strict=True)
        colour, width = (ACCENT, 3.0) if is_ours else (OTHER, 1.4)
        axes.plot(sizes, values, color=colour, linewidth=width, marker="o", markersize=6 if is_ours else 4, label=title)
    ends = sorted((points[-1][1], title, is_ours) for title, points, is_ours in curves)
    room = max(1.0, ends[-1][0] / ends[0][0]) ** (1 / max(1, len(ends) - 1))
    step, last = max(1.2, min(room, 1.32)), 0.0
    for value, title, is_ours in ends:
        last = max(value, last * step)
        weight, colour = ("bold", ACCENT) if is_ours else ("normal", INK)
        axes.text(axes.get_xlim()[1] * 1.05, last, title, size=11, va="center", weight=weight, color=colour)
    ticks = sorted({size for curve in curves for size, _ in curve.points})
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    marks = [power * factor for power in log_ticks(low, high) for factor in (1, 3) if low <= power * factor <= high]
    axes.set_yticks(marks, [f"{mark:g}" for mark in marks])
    axes.grid(axis="y", color=LINE, linewidth=1)
    remove_frame(axes)


def remove_frame(axes: Any) -> None:
    """Remove the frame of a panel, and the strokes of its ticks."""
    axes.set_facecolor(PAPER)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=11, labelcolor=MUTED)
