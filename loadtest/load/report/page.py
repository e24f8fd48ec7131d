"""The page around the plots."""

from html import escape
from pathlib import Path
from typing import Any

from loadtest.core.figures import PALETTE, format_ms, format_number
from loadtest.core.table import Cell, Table
from loadtest.load.comparison import Change, find_changes
from loadtest.load.report.plots import build_plots
from loadtest.load.result import LoadResult

STYLE_SHEET = Path(__file__).with_name("page.css")
VERDICTS = {
    "pass": ("Passed.", "Every message arrived once and in order, and every threshold holds."),
    "fail": ("Failed.", ""),
    "void": (
        "Void.",
        "The generator was the bottleneck: these figures are its own, not the server's. Do not use them.",
    ),
}
LATENCY_TITLES = {
    "delivery": "delivery, due to member",
    "ack": "ack, due to sender",
    "connect": "TCP connect",
    "handshake": "TLS and upgrade",
    "caught_up": "connection lost to caught up",
    "recovered": "delivery after a reconnect",
    "page": "page over HTTP",
    "lag": "generator: sent late",
    "loop": "generator: stood still",
}
ORACLE_TITLES = {
    "sent": "sent",
    "acked": "acknowledged",
    "expected": "deliveries owed",
    "deliveries": "deliveries",
    "lost": "lost",
    "duplicated": "duplicated",
    "out_of_order": "out of order",
    "phantom": "phantoms: no user sent them",
    "unacked": "never acknowledged",
    "refused": "commands refused",
    "not_recovered": "sockets too far behind to resume",
}
FAULTS = ("lost", "duplicated", "out_of_order", "phantom", "unacked", "refused")
PERCENTILES = ("p50", "p90", "p99", "p999", "max")


def render_report(result: LoadResult, baseline: LoadResult | None = None) -> str:
    """Return the whole HTML file.

    Args:
        result: of the run.
        baseline: an older result to compare with.
    """
    plan = result["plan"]
    title = f"{result['scenario']}: {result['verdict']}"
    shape = f"{plan['sockets']:,} sockets, {plan['rooms']:,} rooms of {plan['members']:g}, {plan['url']}"
    figures = "\n".join(plot.to_html() for plot in build_plots(result, baseline))
    tables = [
        build_oracle_table(result),
        build_threshold_table(result),
        build_comparison_table(find_changes(baseline, result) if baseline else []),
        build_latency_table(result),
        build_server_table(result),
        build_phase_table(result),
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
{render_palette()}{STYLE_SHEET.read_text()}</style>
</head>
<body>
<p class="brand"><span class="mark"></span>Load test<time>{escape(result["measured_at"])}</time></p>
<h1>{escape(result["scenario"])}</h1>
<p class="lead">{escape(result["question"])} {escape(shape)}.</p>
{render_verdict(result)}
{render_tiles(result)}
<h2>Over time</h2>
<div class="plots">
{figures}
</div>
<h2>In figures</h2>
<div class="tables">
{"".join(table.to_html() for table in tables)}
</div>
<h2>More</h2>
{render_details(result)}
</body>
</html>
"""


def render_palette() -> str:
    """Return the colours as CSS variables, for a light and for a dark screen."""
    light, dark = (" ".join(f"--{name}: {tones[which]};" for name, tones in PALETTE.items()) for which in (0, 1))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def render_verdict(result: LoadResult) -> str:
    """Return the verdict with its reasons."""
    word, sentence = VERDICTS[result["verdict"]]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in result["void"] + result["failed"])
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    return f'<div class="verdict {result["verdict"]}"><b>{word}</b> {sentence}{listed}</div>'


def render_tiles(result: LoadResult) -> str:
    """Return the most important figures."""
    oracle, rates = result["oracle"], result["rates"]
    delivery = result["latency_ms"].get("delivery")
    faults = sum(oracle[name] for name in FAULTS)  # type: ignore[literal-required]
    per_second = f"deliveries/s, {format_number(rates['messages_per_s'])} messages/s"
    shown = [
        ("Deliveries", f"{oracle['deliveries']:,}", f"of {oracle['expected']:,} owed", ""),
        ("Faults", f"{faults:,}", f"{oracle['lost']:,} lost", "bad" if faults else "good"),
        ("Delivery, p99", format_ms(delivery["p99"]) if delivery else "-", "ms", ""),
        ("Delivery, median", format_ms(delivery["p50"]) if delivery else "-", "ms", ""),
        ("Rate", format_number(rates["deliveries_per_s"]), per_second, ""),
    ]
    if knee := result.get("knee"):
        shown.insert(0, ("Knee", f"{knee['messages_per_s']:,.4g}", "messages/s", ""))
    cells = "".join(
        f'<div><dt>{name}</dt><dd class="{tone}">{value}<small>{escape(more)}</small></dd></div>'
        for name, value, more, tone in shown
    )
    return f'<dl class="tiles">{cells}</dl>'


def build_oracle_table(result: LoadResult) -> Table:
    """Return what the oracle found."""
    rows: list[list[str | Cell]] = []
    for key, title in ORACLE_TITLES.items():
        value = result["oracle"][key]  # type: ignore[literal-required]
        rows.append([title, Cell(f"{value:,}", "bad" if key in FAULTS and value else "")])
    return Table(["every message of every room, on every socket", ""], rows, "The oracle")


def build_threshold_table(result: LoadResult) -> Table:
    """Return the thresholds, and whether they hold."""
    rows: list[list[str | Cell]] = []
    for row in result["slo"]:
        value = "not measured" if row["value"] is None else f"{row['value']:,.10g}"
        rows.append([row["threshold"], value, Cell("holds", "good") if row["holds"] else Cell("does not hold", "bad")])
    return Table(["", "measured", ""], rows, "Thresholds")


def build_latency_table(result: LoadResult) -> Table:
    """Return the percentiles of all latencies."""
    order = list(LATENCY_TITLES)
    rows = [
        [
            LATENCY_TITLES.get(name, name),
            *(format_ms(one[key]) for key in PERCENTILES),  # type: ignore[literal-required]
            format_number(one["count"]),
        ]
        for name, one in sorted(result["latency_ms"].items(), key=lambda pair: order.index(pair[0]))
    ]
    return Table(["ms", "p50", "p90", "p99", "p99.9", "max", "n"], rows, "Latencies")


def build_server_table(result: LoadResult) -> Table:
    """Return CPU and memory of the server's processes."""
    rows: list[list[str]] = []
    if found := result["server"]:
        rows = [
            [
                name,
                f"{share:.0%}",
                f"{found['us_per_delivery'].get(name, 0):.1f}",
                f"{found['mib'][name]:,.0f}",
                f"{found['kib_per_socket'][name]:,.0f}",
            ]
            for name, share in found["cpu"].items()
        ]
        totals = (found["cpu"], found["us_per_delivery"], found["mib"], found["kib_per_socket"])
        cpu, each, mib, socket = (sum(one.values()) for one in totals)
        rows.append(["all", f"{cpu:.0%}", f"{each:.1f}", f"{mib:,.0f}", f"{socket:,.0f}"])
    return Table(["", "CPU", "µs/delivery", "MiB", "KiB/socket"], rows, "The server")


def build_phase_table(result: LoadResult) -> Table:
    """Return the phases."""
    rows = []
    for phase in result["phases"]:
        delivery = phase["latency_ms"].get("delivery")
        figures = (format_number(phase["rate"]), format_number(phase["deliveries"]))
        rows.append([phase["name"], f"{phase['seconds']:g}", *figures, format_ms(delivery["p99"] if delivery else 0.0)])
    return Table(["", "s", "messages/s", "deliveries", "p99 ms"], rows, "Phases")


def build_comparison_table(changes: list[Change]) -> Table:
    """Return the changes since the baseline."""
    tones = {"better": "good", "worse": "bad"}
    rows: list[list[str | Cell]] = [
        [one.name, format_number(one.before), format_number(one.now), Cell(one.text, tones.get(one.verdict, ""))]
        for one in changes
    ]
    return Table(["", "before", "now", ""], rows, "Against before")


def render_details(result: LoadResult) -> str:
    """Return an explanation, and everything else that the result has."""
    pairs: dict[str, Any] = {**result["plan"]}
    pairs |= {f"version of {name}": value for name, value in result["versions"].items()}
    pairs |= {f"machine: {name}": value for name, value in result["machine"].items()}
    generator = result["generator"]
    pairs |= {name: value for name, value in generator.items() if name != "clocks"}
    for one in generator["clocks"]:
        pairs[f"clock of {one['worker'][:24]}"] = (
            f"{one['offset_ms']:+.3f} ms, uncertain by {one['uncertain_ms']:.3f} ms; "
            f"its wall clock {one['wall_clock_ahead_ms']:+.1f} ms"
        )
    for kind, counts in result["counters"].items():
        pairs[kind] = ", ".join(f"{count:,} times {name}" for name, count in counts.items())
    listed = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in pairs.items())
    return f"""<details><summary>How to read this</summary>
<p>Messages leave on a schedule that is fixed beforehand and does not wait for replies. Every latency counts from the
moment a message was due. What was acknowledged is compared, message by message, with what each socket received: a
single lost, duplicated, reordered or invented message fails the run. The shaded stretches were measured; the rest is
joining and warming up.</p>
<p>A void run says nothing about the server: the generator was late, stood still, or had no core.</p></details>
<details><summary>Plan, versions, generator</summary><dl>{listed}</dl></details>"""
