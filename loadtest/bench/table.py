"""The results as text: two tables for each size of room."""

from collections.abc import Callable, Sequence

from loadtest.bench.measure import PHASES, RoomLoad
from loadtest.bench.result import TOTAL, RoomResult, get_figure
from loadtest.core.table import Table

GROUPS = ("server", "nginx", "redis", "database")  # of processes, in the order of the table
MIN_SHOWN_US = 0.05  # a group that costs less is left out


def format_figure(value: float | None, digits: int = 1) -> str:
    """Return a figure with so many decimals; a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def cost_cell(phase: str) -> Callable[[RoomResult], str]:
    """Return a function for the total cost in a phase, with its parts in brackets if there is more than one."""

    def cell(result: RoomResult) -> str:
        parts = get_figure(result, phase, "us_per_delivery") or {}
        if TOTAL not in parts:
            return "-"
        named = [f"{name} {parts[name]:.1f}" for name in GROUPS if parts.get(name, 0) >= MIN_SHOWN_US]
        return f"{parts[TOTAL]:.1f}" + (f" ({', '.join(named)})" if len(named) > 1 else "")

    return cell


def latency_cell(result: RoomResult) -> str:
    """Return p50 / p95 / p99 at the high rate; at the low rate, and marked so, for a server that cannot keep up."""
    for phase, suffix in (("high_rate", ""), ("low_rate", " low rate")):
        times = get_figure(result, phase, "latency_ms")
        if times and not get_figure(result, phase, "overloaded"):
            return " / ".join(f"{times[name]:.1f}" for name in ("p50", "p95", "p99")) + suffix
    return "overloaded"


def faults_cell(result: RoomResult) -> str:
    """Return the sums of lost / duplicated / out of order over all phases."""
    names = ("lost", "duplicated", "out_of_order")
    return " / ".join(f"{sum(get_figure(result, phase, name) or 0 for phase in PHASES):,}" for name in names)


def bytes_cell(result: RoomResult) -> str:
    """Return bytes for a delivery at the low rate, where each message has frames of its own."""
    phase = get_figure(result, "low_rate") or get_figure(result, "high_rate") or {}
    return format_figure(phase["bytes"] / phase["deliveries"], 0) if phase.get("deliveries") else "-"


def frames_cell(result: RoomResult) -> str:
    """Return frames for a delivery at saturation: below one, messages share frames."""
    phase = get_figure(result, "saturation") or {}
    return format_figure(phase["frames"] / phase["deliveries"], 2) if phase.get("deliveries") else "-"


def client_cell(result: RoomResult) -> str:
    """Return the client's share of its core, at the high rate and at saturation."""
    shares = [get_figure(result, phase, "client_busy") for phase in ("high_rate", "saturation")]
    return " / ".join("-" if share is None else f"{share:.0%}" for share in shares)


Column = tuple[str, Callable[[RoomResult], str]]
TITLE_COLUMN: Column = ("", lambda result: result["title"])
COST_COLUMNS: list[Column] = [
    TITLE_COLUMN,
    ("us, low rate", lambda result: format_figure(get_figure(result, "low_rate", "us_per_delivery", TOTAL))),
    ("us, high rate", cost_cell("high_rate")),
    ("us, saturation", cost_cell("saturation")),
    ("deliveries/s", lambda result: format_figure(get_figure(result, "saturation", "deliveries_per_s"), 0)),
    ("frames", frames_cell),
    ("bytes", bytes_cell),
]
QUALITY_COLUMNS: list[Column] = [
    TITLE_COLUMN,
    ("ms p50 / p95 / p99", latency_cell),
    ("lost / dup. / out of order", faults_cell),
    ("KiB a socket", lambda result: format_figure(get_figure(result, "kib_per_socket", TOTAL))),
    ("ms to accept", lambda result: format_figure(get_figure(result, "accept_ms", TOTAL), 2)),
    ("client busy, high / full", client_cell),
]


def render_results(results: Sequence[RoomResult], skipped: dict[str, str]) -> str:
    """Return all tables, what is void, and which contenders were skipped and why."""
    blocks = []
    for size in sorted({result["size"] for result in results}):
        load = RoomLoad.of_size(size, 0)
        of_size = [result for result in results if result["size"] == size]
        heading = (
            f"Room of {size:,}. CPU us per delivery, all processes; low rate is {load.low_rate:g} messages/s, "
            f"high rate {load.high_rate:g}, saturation {load.window} on their way; frames and bytes are per delivery"
        )
        blocks += [heading, build_table(COST_COLUMNS, of_size).to_text(rule=True)]
        blocks += [build_table(QUALITY_COLUMNS, of_size).to_text(rule=True)]
        blocks += [note for result in of_size for note in find_notes(result)]
    blocks += [f"skipped: {name}: {why}" for name, why in skipped.items()]
    return "\n\n".join(blocks)


def find_notes(result: RoomResult) -> list[str]:
    """Return a sentence for each phase that is void or overloaded, and for each problem."""
    found = []
    for phase in PHASES:
        measured = get_figure(result, phase) or {}
        if measured.get("void"):
            found.append(f"VOID: {result['title']}, {phase}: {measured['void']}")
        if measured.get("overloaded"):
            found.append(
                f"overloaded: {result['title']} does not keep up with {measured['rate']:g} messages/s; "
                "what had not arrived 20 s after the last message was sent counts as lost"
            )
        problems = measured.get("problems", {})
        found += [f"{result['title']}, {phase}: {times} x {what}" for what, times in problems.items()]
    return found


def build_table(columns: Sequence[Column], results: Sequence[RoomResult]) -> Table:
    """Return the table with these columns, and a row for each result."""
    return Table([heading for heading, _ in columns], [[cell(result) for _, cell in columns] for result in results])
