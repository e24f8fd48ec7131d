"""Plots as inline SVG that stretches; all text around them is HTML, so it keeps its size on any screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

SIZE = 1000  # of the drawing's own coordinates, both ways
MOST_POINTS = 240
TONES = ("accent", "ink", "muted", "online", "warn", "focus")

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """Points in order. A filled one reaches down to the axis."""

    name: str
    points: Sequence[Point]
    tone: str = "accent"
    filled: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Plot:
    """`unit` stands behind the largest label of the y axis. `bands`: from, to and name of stretches worth seeing."""

    title: str
    unit: str
    lines: Sequence[Line]
    x_unit: str = "s"
    bands: Sequence[tuple[float, float, str]] = ()
    limit: float | None = None  # a horizontal line: a budget
    logarithmic: bool = False
    note: str = ""
    marks: Sequence[tuple[float, str]] = field(default_factory=tuple)  # vertical lines with a word

    def html(self) -> str:
        points = [point for line in self.lines for point in line.points]
        if not points:
            return ""
        axes = Axes.around(points, self.limit, logarithmic=self.logarithmic)
        keys = "".join(f'<li class="{line.tone}">{escape(line.name)}</li>' for line in self.lines if line.name)
        y_labels = [("top", axes.down(tick), number(tick)) for tick in axes.ticks]
        x_labels = [("left", axes.across(tick), number(tick)) for tick in axes.below()] if self.x_unit else []
        words = [("left", axes.across(x), word) for x, word in self.marks]
        return f"""<figure>
<figcaption><b>{escape(self.title)}</b> <span>{escape(self.unit)}</span><ul>{keys}</ul></figcaption>
<div class="plot"><div class="y">{placed(y_labels)}</div>
<div class="area">
<svg viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none" role="img" aria-label="{escape(self.described())}">
{"".join(self.drawn(axes))}
</svg>
<div class="words">{placed(words)}</div></div>
<div class="x">{placed(x_labels)}<i>{escape(self.x_unit)}</i></div></div>
{f"<p>{escape(self.note)}</p>" if self.note else ""}
</figure>"""

    def drawn(self, axes: "Axes") -> Iterator[str]:
        """The elements of the picture, from the back to the front."""
        for start, end, _ in self.bands:
            left, right = axes.across(max(axes.left, start)), axes.across(min(axes.right, end))
            yield f'<rect class="band" x="{left:.1f}" width="{max(0, right - left):.1f}" height="{SIZE}"/>'
        for tick in axes.ticks:
            yield f'<path class="grid" d="M0 {axes.down(tick):.1f}H{SIZE}"/>'
        for x, _ in self.marks:
            yield f'<path class="mark" d="M{axes.across(x):.1f} 0V{SIZE}"/>'
        if self.limit is not None:
            yield f'<path class="limit" d="M0 {axes.down(self.limit):.1f}H{SIZE}"/>'
        for line in self.lines:
            if not line.points:
                continue
            at = [(axes.across(x), axes.down(y)) for x, y in line.points]
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
            if line.filled:
                yield f'<polygon class="{line.tone}" points="{at[0][0]:.1f},{SIZE} {drawn} {at[-1][0]:.1f},{SIZE}"/>'
            yield f'<polyline class="{line.tone}" points="{drawn}"/>'
            if line.dots:  # a dot is a line without length: it stays round however the drawing is stretched
                yield f'<path class="dot {line.tone}" d="{"".join(f"M{x:.1f} {y:.1f}h.01" for x, y in at)}"/>'

    def described(self) -> str:
        """In words, for who does not see it."""
        lines = [
            f"{line.name}: {number(min(y for _, y in line.points))} to {number(max(y for _, y in line.points))}"
            for line in self.lines
            if line.points
        ]
        return f"{self.title}, {self.unit}. {'; '.join(lines)}"


@dataclass(frozen=True)
class Axes:
    """From figures to coordinates."""

    left: float
    right: float
    ticks: Sequence[float]
    logarithmic: bool

    @classmethod
    def around(cls, points: Sequence[Point], limit: float | None, *, logarithmic: bool) -> "Axes":
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        highest = max([y for _, y in points] + ([limit] if limit is not None else []))
        lowest = min((y for _, y in points if y > 0), default=0.1)
        ticks = log_ticks(lowest, highest) if logarithmic else ticks_to(highest)
        return cls(left, right if right > left else left + 1, ticks, logarithmic)

    def across(self, x: float) -> float:
        return (x - self.left) / (self.right - self.left) * SIZE

    def down(self, y: float) -> float:
        bottom, top = self.ticks[0], self.ticks[-1]
        share = log10(max(y, bottom) / bottom) / log10(top / bottom) if self.logarithmic else y / top
        return SIZE - min(1.0, max(0.0, share)) * SIZE

    def below(self) -> list[float]:
        """Round numbers along the x axis, leaving room for its unit."""
        return [tick for tick in ticks_to(self.right) if self.left <= tick and self.across(tick) < 0.88 * SIZE]


def placed(labels: Sequence[tuple[str, float, str]]) -> str:
    """Words at places of the drawing: side, coordinate, text."""
    late = 0.75 * SIZE  # from here on a word stands before its place, or it would leave the picture
    return "".join(
        f'<span{" class=late" if at > late else ""} style="{side}:{at / SIZE:.2%}">{escape(text)}</span>'
        for side, at, text in labels
    )


def ticks_to(highest: float, wanted: int = 4) -> list[float]:
    """0 and round numbers up to at least `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / wanted
    size = 10 ** floor(log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)
    return [step * count for count in range(ceil(highest / step - 1e-9) + 1)]


def log_ticks(lowest: float, highest: float) -> list[float]:
    """Powers of ten around both."""
    first, last = floor(log10(max(lowest, 1e-3))), ceil(log10(max(highest, 1e-3)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def number(value: float) -> str:
    """As short as it can be read: 12k, 3.4, 0.05."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"


def thinned(points: Sequence[Point], most: int = MOST_POINTS, *, peaks: bool = False) -> list[Point]:
    """No more than `most` points: means of neighbours, or their peaks where those are what matters."""
    if len(points) <= most:
        return list(points)
    size = ceil(len(points) / most)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [
        (group[0][0], max(y for _, y in group) if peaks else sum(y for _, y in group) / len(group)) for group in groups
    ]
