"""The page around the plots."""

from html import escape
from pathlib import Path
from typing import Any

from loadtest.compare import Change, changes
from loadtest.report.plot import number
from loadtest.report.plots import plots

CSS = Path(__file__).with_name("page.css")
WORDS = {
    "pass": ("Passed.", "Everything that was said arrived, once and in order, and every threshold holds."),
    "fail": ("Failed.", ""),
    "void": (
        "Void.",
        "The generator was the bottleneck: these figures are its own, not the server's. Do not use them.",
    ),
}
KINDS = {
    "delivery": "delivery, due to member",
    "ack": "ack, due to sender",
    "connect": "TCP connect",
    "handshake": "TLS and upgrade",
    "caught_up": "line lost to caught up",
    "recovered": "delivery after coming back",
    "page": "page over HTTP",
    "lag": "generator: left late",
    "loop": "generator: stood still",
}
ORACLE = {
    "sent": "said",
    "acked": "acknowledged",
    "expected": "deliveries owed",
    "deliveries": "deliveries",
    "lost": "lost",
    "duplicated": "duplicated",
    "out_of_order": "out of order",
    "phantom": "phantoms: nobody said that",
    "unacked": "never acknowledged",
    "refused": "commands refused",
    "started_afresh": "sockets too far behind to resume",
}
FAULTY = ("lost", "duplicated", "out_of_order", "phantom", "unacked", "refused")


def render(result: dict[str, Any], before: dict[str, Any] | None = None) -> str:
    """The whole file."""
    plan = result["plan"]
    title = f"{result['scenario']}: {result['verdict']}"
    shape = f"{plan['sockets']:,} sockets, {plan['rooms']:,} rooms of {plan['members']:g}, {plan['url']}"
    figures = "\n".join(plot.html() for plot in plots(result, before))
    tables = [oracle(result), thresholds(result), latencies(result), server(result), phases(result)]
    tables.insert(2, compared(changes(before, result)) if before else "")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
{CSS.read_text()}</style>
</head>
<body>
<p class="brand"><span class="mark"></span>Load test<time>{escape(result["measured_at"])}</time></p>
<h1>{escape(result["scenario"])}</h1>
<p class="lead">{escape(result["question"])} {escape(shape)}.</p>
{verdict(result)}
{tiles(result)}
<h2>Over time</h2>
<div class="plots">
{figures}
</div>
<h2>In figures</h2>
<div class="tables">
{"".join(table for table in tables if table)}
</div>
<h2>More</h2>
{details(result)}
</body>
</html>
"""


def verdict(result: dict[str, Any]) -> str:
    word, sentence = WORDS[result["verdict"]]
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in result["void"] + result["failed"])
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    return f'<div class="verdict {result["verdict"]}"><b>{word}</b> {sentence}{listed}</div>'


def tiles(result: dict[str, Any]) -> str:
    facts, rates = result["oracle"], result["rates"]
    delivery = result["latency_ms"].get("delivery", {})
    faults = sum(facts[name] for name in FAULTY)
    shown = [
        ("Deliveries", f"{facts['deliveries']:,}", f"of {facts['expected']:,} owed", ""),
        ("Faults", f"{faults:,}", f"{facts['lost']:,} lost", "bad" if faults else "good"),
        ("Delivery, p99", ms(delivery["p99"]) if delivery else "-", "ms", ""),
        ("Delivery, median", ms(delivery["p50"]) if delivery else "-", "ms", ""),
        ("Rate", number(rates["deliveries_per_s"]), f"deliveries/s, {number(rates['messages_per_s'])} messages/s", ""),
    ]
    if knee := result.get("knee"):
        shown.insert(0, ("Knee", f"{knee['messages_per_s']:,.4g}", "messages/s", ""))
    cells = "".join(
        f'<div><dt>{name}</dt><dd class="{tone}">{value}<small>{escape(more)}</small></dd></div>'
        for name, value, more, tone in shown
    )
    return f'<dl class="tiles">{cells}</dl>'


def ms(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(caption: str, head: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML."""
    if not rows:
        return ""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>" for first, *rest in rows
    )
    return (
        f'<div class="table"><table><caption>{caption}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>\n"
    )


def oracle(result: dict[str, Any]) -> str:
    rows = []
    for key, name in ORACLE.items():
        value = result["oracle"][key]
        tone = ' class="bad"' if key in FAULTY and value else ""
        rows.append([name, f"<span{tone}>{value:,}</span>"])
    return table("The oracle", ["every place of every room, on every socket", ""], rows)


def thresholds(result: dict[str, Any]) -> str:
    rows = []
    for row in result["slo"]:
        value = "not measured" if row["value"] is None else f"{row['value']:,.10g}"
        word = '<span class="good">holds</span>' if row["holds"] else '<span class="bad">does not hold</span>'
        rows.append([escape(row["threshold"]), value, word])
    return table("Thresholds", ["", "measured", ""], rows)


def latencies(result: dict[str, Any]) -> str:
    keys = ("p50", "p90", "p99", "p999", "max")
    rows = [
        [escape(KINDS.get(name, name)), *(ms(one[key]) for key in keys), number(one["count"])]
        for name, one in sorted(result["latency_ms"].items(), key=lambda pair: list(KINDS).index(pair[0]))
    ]
    return table("Latencies", ["ms", "p50", "p90", "p99", "p99.9", "max", "n"], rows)


def server(result: dict[str, Any]) -> str:
    if not (found := result.get("server")):
        return ""
    rows = [
        [escape(name), f"{share:.0%}", f"{found['us_per_delivery'].get(name, 0):.1f}", f"{found['mib'][name]:,.0f}",
         f"{found['kib_per_socket'][name]:,.0f}"]
        for name, share in found["cpu"].items()
    ]  # fmt: skip
    totals = [found["cpu"], found["us_per_delivery"], found["mib"], found["kib_per_socket"]]
    cpu, each, mib, socket = (sum(one.values()) for one in totals)
    rows.append(["all", f"{cpu:.0%}", f"{each:.1f}", f"{mib:,.0f}", f"{socket:,.0f}"])
    return table("The server", ["", "CPU", "µs/delivery", "MiB", "KiB/socket"], rows)


def phases(result: dict[str, Any]) -> str:
    rows = [
        [escape(phase["name"]), f"{phase['seconds']:g}", number(phase["rate"]), number(phase["deliveries"]),
         ms(phase["latency_ms"].get("delivery", {}).get("p99", 0.0))]
        for phase in result["phases"]
    ]  # fmt: skip
    return table("Phases", ["", "s", "messages/s", "deliveries", "p99 ms"], rows)


def compared(rows: list[Change]) -> str:
    cells = []
    for row in rows:
        tone = {"better": "good", "worse": "bad"}.get(row.verdict, "")
        cells.append([escape(row.name), number(row.before), number(row.now), f'<span class="{tone}">{row.told}</span>'])
    return table("Against before", ["", "before", "now", ""], cells)


def details(result: dict[str, Any]) -> str:
    pairs = {**result["plan"], **{f"version of {name}": value for name, value in result["versions"].items()}}
    pairs |= {f"machine: {name}": value for name, value in result["machine"].items()}
    generator = result["generator"]
    pairs |= {name: generator[name] for name in ("workers", "cpu_mean", "cpu_max", "waited_mean", "peak_mib")}
    for one in generator["clocks"]:
        pairs[f"clock of {one['worker'][:24]}"] = (
            f"{one['offset_ms']:+.3f} ms, uncertain by {one['uncertain_ms']:.3f} ms; "
            f"its wall clock {one['wall_clock_ahead_ms']:+.1f} ms"
        )
    for kind, counts in result["named"].items():
        pairs[kind] = ", ".join(f"{count:,} times {name}" for name, count in counts.items())
    listed = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in pairs.items())
    return f"""<details><summary>How to read this</summary>
<p>Messages leave on a schedule that was fixed beforehand and does not wait for replies; every latency counts from the
moment a message was due. What was acknowledged is compared, place by place, with what each socket got: a single lost,
doubled, late or invented message fails the run. Shaded is what was measured; the rest is coming in and warming up.</p>
<p>A void run says nothing about the server: the generator was late, stood still, or had no core.</p></details>
<details><summary>Asked and found</summary><dl>{listed}</dl></details>"""
