"""The format of figures in every table, plot and picture: short numbers, round ticks, the interface's colours."""

from math import ceil, floor, log10

# By name: for a light screen, for a dark one.
PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#faf8f4", "#151412"),
    "surface": ("#fff", "#1d1b18"),
    "raised": ("#f3efe8", "#26231f"),
    "ink": ("#1d1b18", "#ece7df"),
    "muted": ("#6b655c", "#a0988c"),
    "line": ("#e6e0d6", "#322e29"),
    "accent": ("#b0431a", "#f2925f"),
    "accent-soft": ("#f8e6dc", "#3a2519"),
    "online": ("#2f7d4f", "#63c089"),
    "warn": ("#946200", "#e3b341"),
    "danger": ("#b42318", "#f97066"),
    "focus": ("#1d4ed8", "#93b4ff"),
}
LIGHT = {name: light for name, (light, _) in PALETTE.items()}


def format_number(value: float) -> str:
    """Return a number as short as it can be read: 12k, 3.4, 0.05."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"


def format_ms(value: float) -> str:
    """Return milliseconds with three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def linear_ticks(highest: float, wanted: int = 4) -> list[float]:
    """Return 0 and round numbers up to at least `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / wanted
    size = 10 ** floor(log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)
    return [step * count for count in range(ceil(highest / step - 1e-9) + 1)]


def log_ticks(lowest: float, highest: float) -> list[float]:
    """Return powers of ten around both."""
    first, last = floor(log10(max(lowest, 1e-3))), ceil(log10(max(highest, 1e-3)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]
