"""The results as text, one table for each size of room."""

from collections.abc import Callable, Sequence
from typing import Any

from loadtest.bench.measure import Load, Result

GROUPS = ("server", "nginx", "redis", "database")


def number(value: float | None, digits: int = 1) -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def dig(result: Result, *keys: str) -> Any:
    """result[key][key]..., or None."""
    value: Any = result
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def us(phase: str) -> Callable[[Result], str]:
    """The total; in brackets its parts, where there is more than one."""

    def cell(result: Result) -> str:
        parts = dig(result, phase, "us") or {}
        if "total" not in parts:
            return "-"
        named = [f"{name} {parts[name]:.1f}" for name in GROUPS if parts.get(name, 0) >= 0.05]
        return f"{parts['total']:.1f}" + (f" ({', '.join(named)})" if len(named) > 1 else "")

    return cell


def latency(result: Result) -> str:
    """p50 / p95 / p99 at the brisk rate; at the calm one, and saying so, for whoever cannot keep up."""
    for phase, mark in (("brisk", ""), ("calm", " calm")):
        times = dig(result, phase, "latency_ms")
        if times and not dig(result, phase, "overloaded"):
            return " / ".join(f"{times[name]:.1f}" for name in ("p50", "p95", "p99")) + mark
    return "overloaded"


def faults(result: Result) -> str:
    """lost / duplicate / reordered, of all phases."""
    phases = [result[name] for name in ("calm", "brisk", "saturation") if name in result]
    return " / ".join(f"{sum(phase[name] for phase in phases):,}" for name in ("lost", "duplicate", "reordered"))


def bytes_each(result: Result) -> str:
    calm = result.get("calm") or result.get("brisk") or {}
    return number(calm["bytes"] / calm["deliveries"], 0) if calm.get("deliveries") else "-"


def frames_each(result: Result) -> str:
    """Frames for a delivery at saturation: below one, messages share frames."""
    full = result.get("saturation") or {}
    return number(full["frames"] / full["deliveries"], 2) if full.get("deliveries") else "-"


def client(result: Result) -> str:
    """The client's share of its core, brisk and saturated."""
    shares = [dig(result, phase, "client_busy") for phase in ("brisk", "saturation")]
    return " / ".join("-" if share is None else f"{share:.0%}" for share in shares)


Column = tuple[str, Callable[[Result], str]]
NAME: Column = ("", lambda result: result["title"])
COST: list[Column] = [
    NAME,
    ("us at the calm rate", lambda result: number(dig(result, "calm", "us", "total"))),
    ("us at the brisk rate", us("brisk")),
    ("us at saturation", us("saturation")),
    ("deliveries/s", lambda result: number(dig(result, "saturation", "per_second"), 0)),
    ("frames", frames_each),
    ("bytes", bytes_each),
]
CARE: list[Column] = [
    NAME,
    ("ms p50 / p95 / p99", latency),
    ("lost / dup. / reord.", faults),
    ("KiB a socket", lambda result: number(dig(result, "socket_kib", "total"))),
    ("ms to accept", lambda result: number(dig(result, "accept_ms", "total"), 2)),
    ("client brisk / full", client),
]


def render(results: Sequence[Result], skipped: dict[str, str]) -> str:
    """All tables, what is void, and who was skipped and why."""
    blocks = []
    for size in sorted({result["size"] for result in results}):
        load = Load.of(size, 0)
        of_size = [result for result in results if result["size"] == size]
        heading = (
            f"Room of {size:,}. CPU us per delivery, all processes; calm is {load.calm:g} messages/s, brisk "
            f"{load.brisk:g}, saturation {load.window} on their way; frames and bytes are per delivery"
        )
        blocks += [heading, grid(COST, of_size), grid(CARE, of_size)]
        blocks += [note for result in of_size for note in notes(result)]
    blocks += [f"skipped: {name}: {why}" for name, why in skipped.items()]
    return "\n\n".join(blocks)


def notes(result: Result) -> list[str]:
    found = []
    for phase in ("calm", "brisk", "saturation"):
        of_phase = result.get(phase) or {}
        if of_phase.get("void"):
            found.append(f"VOID: {result['title']}, {phase}: {of_phase['void']}")
        if of_phase.get("overloaded"):
            found.append(
                f"overloaded: {result['title']} does not keep up with {of_phase['rate']:g} messages/s; "
                "what had not come 20 s after the last one was sent counts as lost"
            )
        complaints = of_phase.get("complaints", {})
        found += [f"{result['title']}, {phase}: {times} x {what}" for what, times in complaints.items()]
    return found


def grid(columns: Sequence[Column], results: Sequence[Result]) -> str:
    """Columns as wide as they must be; the first to the left, the others to the right."""
    rows = [[heading for heading, _ in columns], *([cell(result) for _, cell in columns] for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
