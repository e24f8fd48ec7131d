"""What a run says at its end: files, a table, one last line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest import compare, stored
from loadtest.report import render

SHOWN = ("delivery", "ack", "connect", "handshake", "caught_up", "recovered", "page", "lag", "loop")


def write(measured: dict[str, Any], folder: Path, before: dict[str, Any] | None) -> tuple[Path, Path]:
    """Save JSON and report; returns their paths."""
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{measured['scenario']}"
    json_file = folder / f"{name}.json"
    stored.save(measured, json_file)
    html_file = json_file.with_suffix(".html")
    html_file.write_text(render(measured, before))
    return json_file, html_file


def told(measured: dict[str, Any], before: dict[str, Any] | None) -> str:
    """A table for the terminal."""
    lines = ["", f"{'ms':12}" + "".join(f"{name:>10}" for name in ("p50", "p90", "p99", "p99.9", "max", "count"))]
    for name in SHOWN:
        if one := measured["latency_ms"].get(name):
            figures = [f"{one[key]:>10.1f}" for key in ("p50", "p90", "p99", "p999", "max")]
            lines.append(f"{name.replace('_', ' '):12}" + "".join(figures) + f"{one['count']:>10,}")
    if server := measured.get("server"):
        cpu = ", ".join(f"{name} {share:.0%}" for name, share in server["cpu"].items())
        lines += ["", f"Server: {cpu} of a core; {sum(server['us_per_delivery'].values()):.1f} us a delivery"]
    generator = measured["generator"]
    lines.append(f"Generator: {generator['cpu_mean']:.0%} of a core, waited {generator['waited_mean']:.0%} for one")
    others = [clock for clock in generator["clocks"] if clock["offset_ms"]]
    if others:
        most = max(abs(clock["offset_ms"]) for clock in others)
        unsure = max(clock["uncertain_ms"] for clock in others)
        lines.append(
            f"Clocks: {len(others)} workers have another one, up to {most:,.3f} ms away; that is corrected, "
            f"and uncertain by up to {unsure:.3f} ms"
        )
    for kind, counts in measured["named"].items():
        lines.append(f"{kind.capitalize()}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if before:
        lines += ["", f"{'against before':24}{'before':>14}{'now':>14}"]
        for row in compare.changes(before, measured):
            lines.append(f"{row.name:24}{row.before:>14,.5g}{row.now:>14,.5g}  {row.told:>7} {row.verdict}")
        lines += compare.unlike(before, measured)
    lines += [f"FAILED: {sentence}" for sentence in measured["failed"]]
    lines += [f"VOID: {sentence}" for sentence in measured["void"]]
    if measured["void"]:
        lines.append("VOID: these latencies are the generator's, not the server's. Do not use them.")
    return "\n".join([*lines, ""])


def line(measured: dict[str, Any]) -> str:
    """The last line, for people in a hurry and for scripts."""
    oracle = measured["oracle"]
    p99 = measured["latency_ms"].get("delivery", {}).get("p99")
    knee = measured.get("knee")
    parts = [
        f"{measured['scenario']} {measured['verdict'].upper()}: {oracle['deliveries']:,} deliveries",
        f"{oracle['lost']:,} lost",
        f"p99 {p99:,.1f} ms" if p99 is not None else "p99 -",
        *([f"knee at {knee['messages_per_s']:,.1f} messages/s"] if knee else []),
    ]
    return ", ".join(parts)
