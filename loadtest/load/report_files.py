"""What a run leaves: a JSON file, an HTML report, a summary for the terminal, and one last line for scripts."""

from datetime import UTC, datetime
from pathlib import Path

from loadtest.core.result_file import write_json
from loadtest.core.table import Table
from loadtest.load.comparison import find_changes, find_differences
from loadtest.load.report import render_report
from loadtest.load.result import LoadResult

LATENCIES = ("delivery", "ack", "connect", "handshake", "caught_up", "recovered", "page", "lag", "loop")
PERCENTILES = ("p50", "p90", "p95", "p99", "p999", "max")


def write_files(result: LoadResult, folder: Path, baseline: LoadResult | None) -> tuple[Path, Path]:
    """Write the JSON file and the report; return their paths."""
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{result['scenario']}"
    json_file = folder / f"{name}.json"
    write_json(result, json_file)
    html_file = json_file.with_suffix(".html")
    html_file.write_text(render_report(result, baseline))
    return json_file, html_file


def format_summary(result: LoadResult, baseline: LoadResult | None) -> str:
    """Return the summary for the terminal."""
    latency_ms = result["latency_ms"]
    rows = [
        [name.replace("_", " "), *(f"{one[key]:.1f}" for key in PERCENTILES), f"{one['count']:,}"]  # type: ignore[literal-required]
        for name in LATENCIES
        if (one := latency_ms.get(name))
    ]
    lines = ["", Table(("ms", "p50", "p90", "p95", "p99", "p99.9", "max", "count"), rows).to_text()]
    if server := result["server"]:
        cpu = ", ".join(f"{name} {share:.0%}" for name, share in server["cpu"].items())
        lines += ["", f"Server: {cpu} of a core; {sum(server['us_per_delivery'].values()):.1f} us a delivery"]
    generator = result["generator"]
    lines.append(f"Generator: {generator['cpu_mean']:.0%} of a core, waited {generator['waited_mean']:.0%} for one")
    if others := [clock for clock in generator["clocks"] if clock["offset_ms"]]:
        most = max(abs(clock["offset_ms"]) for clock in others)
        uncertain = max(clock["uncertain_ms"] for clock in others)
        lines.append(
            f"Clocks: {len(others)} workers have another clock, up to {most:,.3f} ms away; that is corrected, "
            f"and uncertain by up to {uncertain:.3f} ms"
        )
    for kind, counts in result["counters"].items():
        lines.append(f"{kind.capitalize()}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if baseline:
        changes = [
            [one.name, f"{one.before:,.5g}", f"{one.now:,.5g}", one.text, one.verdict]
            for one in find_changes(baseline, result)
        ]
        lines += ["", Table(("compared with the baseline", "before", "now", "", ""), changes).to_text()]
        lines += find_differences(baseline, result)
    lines += [f"FAILED: {sentence}" for sentence in result["failed"]]
    lines += [f"VOID: {sentence}" for sentence in result["void"]]
    if result["void"]:
        lines.append("VOID: these latencies are the generator's, not the server's. Do not use them.")
    return "\n".join([*lines, ""])


def format_last_line(result: LoadResult) -> str:
    """Return the last line, which scripts read."""
    oracle = result["oracle"]
    delivery = result["latency_ms"].get("delivery")
    knee = result.get("knee")
    parts = [
        f"{result['scenario']} {result['verdict'].upper()}: {oracle['deliveries']:,} deliveries",
        f"{oracle['lost']:,} lost",
        f"p99 {delivery['p99']:,.1f} ms" if delivery else "p99 -",
        f"{oracle['duplicated']:,} duplicated",
        *([f"p50 {delivery['p50']:,.1f} ms", f"p95 {delivery['p95']:,.1f} ms"] if delivery else []),
        *([f"knee at {knee['messages_per_s']:,.1f} messages/s"] if knee else []),
    ]
    return ", ".join(parts)
