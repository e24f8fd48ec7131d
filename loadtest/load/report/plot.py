"""Plots as inline SVG that stretches. All text around them is HTML, so it keeps its size on any screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, log10

from loadtest.core.figures import format_number, linear_ticks, log_ticks

SIZE = 1000  # of the drawing's own coordinates, in both directions
MAX_POINTS = 240  # of a line
LABEL_LIMIT = 0.75 * SIZE  # from here on a label stands left of its place, or it would leave the picture
TONES = ("accent", "ink", "muted", "online", "warn", "focus")

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a plot.

    Attributes:
        name: in the key; empty for none.
        points: in order.
        tone: a colour, one of the style sheet's classes.
        filled: fill the area down to the axis.
        dots: draw a dot at each point.
    """

    name: str
    points: Sequence[Point]
    tone: str = "accent"
    filled: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes:
        title: above the plot.
        unit: of the y axis.
        lines: ordered from the back to the front.
        x_unit: of the x axis; empty for an axis without labels.
        bands: start, end and name of stretches of the x axis that are shaded.
        limit: a horizontal line, such as a budget.
        logarithmic: the y axis.
        note: a sentence below the plot.
        marks: places on the x axis with a vertical line and a label.
    """

    title: str
    unit: str
    lines: Sequence[Line]
    x_unit: str = "s"
    bands: Sequence[tuple[float, float, str]] = ()
    limit: float | None = None
    logarithmic: bool = False
    note: str = ""
    marks: Sequence[tuple[float, str]] = field(default_factory=tuple)

    def to_html(self) -> str:
        """Return a `figure` element; empty if there are no points."""
        points = [point for line in self.lines for point in line.points]
        if not points:
            return ""
        axes = Axes.around(points, self.limit, logarithmic=self.logarithmic)
        keys = "".join(f'<li class="{line.tone}">{escape(line.name)}</li>' for line in self.lines if line.name)
        y_labels = [("top", axes.down(tick), format_number(tick)) for tick in axes.ticks]
        x_labels = [("left", axes.across(tick), format_number(tick)) for tick in axes.x_ticks()] if self.x_unit else []
        mark_labels = [("left", axes.across(x), label) for x, label in self.marks]
        return f"""<figure>
<figcaption><b>{escape(self.title)}</b> <span>{escape(self.unit)}</span><ul>{keys}</ul></figcaption>
<div class="plot"><div class="y">{place_labels(y_labels)}</div>
<div class="area">
<svg viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none" role="img" aria-label="{escape(self.describe())}">
{"".join(self.draw(axes))}
</svg>
<div class="labels">{place_labels(mark_labels)}</div></div>
<div class="x">{place_labels(x_labels)}<i>{escape(self.x_unit)}</i></div></div>
{f"<p>{escape(self.note)}</p>" if self.note else ""}
</figure>"""

    def draw(self, axes: "Axes") -> Iterator[str]:
        """Yield the elements of the picture, from the back to the front."""
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
            joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
            if line.filled:
                yield f'<polygon class="{line.tone}" points="{at[0][0]:.1f},{SIZE} {joined} {at[-1][0]:.1f},{SIZE}"/>'
            yield f'<polyline class="{line.tone}" points="{joined}"/>'
            if line.dots:  # a dot is a line without length, so it stays round when the drawing is stretched
                yield f'<path class="dot {line.tone}" d="{"".join(f"M{x:.1f} {y:.1f}h.01" for x, y in at)}"/>'

    def describe(self) -> str:
        """Return the ranges of all lines as text, for people who cannot see the plot."""
        values = {line.name: [y for _, y in line.points] for line in self.lines if line.points}
        ranges = [f"{name}: {format_number(min(ys))} to {format_number(max(ys))}" for name, ys in values.items()]
        return f"{self.title}, {self.unit}. {'; '.join(ranges)}"


@dataclass(frozen=True)
class Axes:
    """Turns figures into coordinates of the drawing."""

    left: float
    right: float
    ticks: Sequence[float]
    logarithmic: bool

    @classmethod
    def around(cls, points: Sequence[Point], limit: float | None, *, logarithmic: bool) -> "Axes":
        """Return axes on which all points and the limit have their place."""
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        highest = max([y for _, y in points] + ([limit] if limit is not None else []))
        lowest = min((y for _, y in points if y > 0), default=0.1)
        ticks = log_ticks(lowest, highest) if logarithmic else linear_ticks(highest)
        return cls(left, right if right > left else left + 1, ticks, logarithmic)

    def across(self, x: float) -> float:
        """Return the horizontal coordinate."""
        return (x - self.left) / (self.right - self.left) * SIZE

    def down(self, y: float) -> float:
        """Return the vertical coordinate, from the top."""
        bottom, top = self.ticks[0], self.ticks[-1]
        share = log10(max(y, bottom) / bottom) / log10(top / bottom) if self.logarithmic else y / top
        return SIZE - min(1.0, max(0.0, share)) * SIZE

    def x_ticks(self) -> list[float]:
        """Return round numbers along the x axis; the last ones are left out, where the unit stands."""
        return [tick for tick in linear_ticks(self.right) if self.left <= tick and self.across(tick) < 0.88 * SIZE]


def place_labels(labels: Sequence[tuple[str, float, str]]) -> str:
    """Return labels at places of the drawing. Each has the side it is measured from, a coordinate and a text."""
    return "".join(
        f'<span{" class=late" if at > LABEL_LIMIT else ""} style="{side}:{at / SIZE:.2%}">{escape(text)}</span>'
        for side, at, text in labels
    )


def thin_out(points: Sequence[Point], most: int = MAX_POINTS, *, peaks: bool = False) -> list[Point]:
    """Return at most `most` points: the means of neighbours, or their peaks where those are what matters."""
    if len(points) <= most:
        return list(points)
    size = ceil(len(points) / most)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [
        (group[0][0], max(y for _, y in group) if peaks else sum(y for _, y in group) / len(group)) for group in groups
    ]
