"""Draws the status as text: one row for each part, then what is wrong, each with the command that mends it."""

import time
from collections.abc import Iterator

from deploy.doctor.catalogue import HopState
from deploy.doctor.text_report import BOLD, DIM, GREEN, MARKS, RED, WARNING_MARK, YELLOW, Mark, TextStyle
from deploy.program import PROGRAM
from deploy.site_status.report import Server, Severity, SiteStatus, count_restarts

LABEL_WIDTH, VALUE_WIDTH = 12, 24
NOTE_COLUMN = 2 + LABEL_WIDTH + 1 + 2 + VALUE_WIDTH + 1
MIN_NOTE_WIDTH = 20
SHOWN_TIMERS = 3
DAY_SECONDS = 24 * 3600
Row = tuple[str, str, str]
"""The part, its value, and a note."""


def draw_status(status: SiteStatus, style: TextStyle) -> str:
    """Return the whole status as text."""
    title = f"{status.site} on {status.machine.name}"
    lines = ["", f"  {style.paint(title, BOLD)}  {style.paint(status.url, DIM)}", ""]
    part = ""
    for row in list_rows(status):
        lines += draw_row(row, find_mark(status, row), style, has_label=row[0] != part)
        part = row[0]
    lines.append("")
    for problem in sorted(status.problems, key=lambda problem: problem.severity is not Severity.ERROR):
        is_error = problem.severity is Severity.ERROR
        symbol, colour = (MARKS[HopState.BROKEN][0], RED) if is_error else (WARNING_MARK[0], YELLOW)
        first, *rest = style.wrap(problem.text, 4)
        lines += [
            f"  {style.paint(f'{symbol} {first}', colour)}",
            *(f"    {style.paint(line, colour)}" for line in rest),
        ]
        first, *rest = style.wrap(problem.fix, 9)
        lines.append(f"    {style.paint('fix', DIM)}  {style.highlight_commands(first)}")
        lines += [f"{'':9}{style.highlight_commands(line)}" for line in rest]
        lines.append("")
    return "\n".join([*lines, f"  {draw_verdict(status, style)}", ""])


def draw_verdict(status: SiteStatus, style: TextStyle) -> str:
    """Return the last line."""
    count = len(status.problems)
    if not count:
        return style.paint(f"The site is healthy. {status.seconds:.1f} s", GREEN)
    things = "One thing needs" if count == 1 else f"{count} things need"
    has_error = any(problem.severity is Severity.ERROR for problem in status.problems)
    return style.paint(f"{things} attention. {status.seconds:.1f} s", RED if has_error else YELLOW)


def draw_row(row: Row, mark: Mark, style: TextStyle, *, has_label: bool) -> Iterator[str]:
    """Yield the lines of a row: the part, its mark, the value, and the note beside it, or below a long value."""
    label, value, note = row
    head = f"  {style.paint(f'{label if has_label else str():<{LABEL_WIDTH}}', DIM)} {style.paint_mark(mark)}"
    if not note:
        yield f"{head} {value}"
        return
    notes = style.wrap(note, NOTE_COLUMN)
    if len(value) > VALUE_WIDTH:
        yield f"{head} {value}"
    else:
        yield f"{head} {value:<{VALUE_WIDTH}} {style.paint(notes.pop(0), DIM)}"
    for line in notes:
        yield f"{'':{NOTE_COLUMN}}{style.paint(line, DIM)}"


def find_mark(status: SiteStatus, row: Row) -> Mark:
    """Return the mark of a row: the worst of its problems."""
    severities = {
        problem.severity
        for problem in status.problems
        if problem.part == row[0]
        and (row[0] != "servers" or problem.text.startswith(f"{status.site}-{row[1]}.service "))
    }
    if Severity.ERROR in severities:
        return MARKS[HopState.BROKEN]
    if severities:
        return WARNING_MARK
    return MARKS[HopState.SKIPPED if row[0] in ("", "timers") or row[1] in ("none yet", "not run yet") else HopState.OK]


def list_rows(status: SiteStatus) -> Iterator[Row]:
    """Yield the rows in their order."""
    now, release = status.measured_at, status.release
    yield "release", release.serving or "none", f"serves {format_since(release.since, now)}" if release.since else ""
    version = f"{PROGRAM.capitalize()} {release.stack}, " if release.stack else ""
    yield "", f"{version}before: {release.previous or 'none'}", ""
    yield "health", *describe_health(status)
    for server in status.servers:
        if not is_websocket_server(status, server):
            yield "servers", *describe_server(status, server)
    yield "sockets", *describe_sockets(status)
    yield "certificate", *describe_certificate(status)
    yield "backup", *describe_backup(status)
    yield "doctor", *describe_doctor(status)
    machine = status.machine
    for disk in machine.disks:
        yield "disk", f"{format_size(disk.free)} of {format_size(disk.size)}", f"free at {disk.path}"
    yield "memory", f"{format_size(machine.available_memory)} of {format_size(machine.memory)}", "available"
    yield "load", f"{machine.load:.2f} on {machine.cpus} CPUs", f"the host is up for {format_duration(machine.uptime)}"
    if status.failed_units:
        yield "units", f"{len(status.failed_units)} failed", ", ".join(status.failed_units)
    for timer in [timer for timer in status.timers if timer.next][:SHOWN_TIMERS]:
        last = f"last {format_time(timer.last, now)}" if timer.last else "has not run yet"
        name = timer.unit.removesuffix(".timer").removeprefix(f"{status.site}-")
        yield "timers", f"{name} in {format_duration((timer.next or now) - now)}", last


def is_websocket_server(status: SiteStatus, server: Server) -> bool:
    """Return whether the service is one of the WebSocket servers."""
    return server.unit.startswith(f"{status.site}-ws@")


def describe_health(status: SiteStatus) -> tuple[str, str]:
    """Return the value and the note of the row about /readyz."""
    health = status.health
    if health.error:
        return "unknown", "no answer of /readyz"
    passed = [name for name, result in health.checks.items() if result == "ok"]
    return "ready" if health.ready else "NOT ready", f"{len(passed)} of {len(health.checks)} checks pass"


def describe_server(status: SiteStatus, server: Server) -> tuple[str, str]:
    """Return the value and the note of the row about a service."""
    since = f"runs {format_since(server.since, status.measured_at)}" if server.since else server.state
    restarts = f", {count_restarts(server.restarts)}" if server.restarts else ""
    return server.unit.removeprefix(f"{status.site}-").removesuffix(".service"), f"{since}{restarts}"


def describe_sockets(status: SiteStatus) -> tuple[str, str]:
    """Return the value and the note of the row about the WebSocket servers."""
    servers = [server for server in status.servers if is_websocket_server(status, server)]
    answering = [server for server in servers if server.sockets is not None]
    count = sum(server.sockets or 0 for server in answering)
    restarts = sum(server.restarts for server in servers)
    parts = [f"{describe_server(status, server)[0]} {server.sockets}" for server in answering]
    parts += [count_restarts(restarts)] if restarts else []
    return f"{count:,} open", f"{len(answering)} of {len(servers)} servers answer: {', '.join(parts)}"


def describe_certificate(status: SiteStatus) -> tuple[str, str]:
    """Return the value and the note of the row about the certificate."""
    certificate = status.certificate
    if certificate.days_left is None:
        return "none", ""
    issuer = "self-signed" if certificate.is_self_signed else f"from {certificate.issuer or 'an unnamed authority'}"
    return f"{certificate.days_left:.0f} days left", issuer


def describe_backup(status: SiteStatus) -> tuple[str, str]:
    """Return the value and the note of the row about the newest backup."""
    if status.backup is None:
        return ("none", "") if status.backups_expected else ("none yet", "the first is made tonight")
    return format_time(
        status.backup.made_at, status.measured_at
    ), f"{status.backup.name}, {format_size(status.backup.size)}"


def describe_doctor(status: SiteStatus) -> tuple[str, str]:
    """Return the value and the note of the row about the hourly doctor."""
    if status.doctor is None:
        return "not run yet", ""
    found = (
        f"broken at {status.doctor.broken or status.doctor.exit_code}"
        if status.doctor.exit_code
        else "no hop is broken"
    )
    return found, format_time(status.doctor.written_at, status.measured_at)


def format_time(moment: float, now: float) -> str:
    """Return how long ago a moment was, and where that is more than a day its date."""
    if now - moment < DAY_SECONDS:
        return f"{format_duration(now - moment)} ago"
    return time.strftime("%d %b %Y %H:%M UTC", time.gmtime(moment))


def format_since(moment: float, now: float) -> str:
    """Return for how long something is so, and where that is more than a day since when."""
    if now - moment < DAY_SECONDS:
        return f"for {format_duration(now - moment)}"
    return f"since {format_time(moment, now)}"


def format_duration(seconds: float) -> str:
    """Return a duration in one unit, such as "5 min"."""
    for unit, size in (("days", DAY_SECONDS), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def format_size(size: int) -> str:
    """Return a size in the largest unit of which there is at least one."""
    for unit, power in (("TiB", 4), ("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size >= 1024**power:
            return f"{size / 1024**power:.1f} {unit}"
    return f"{size} B"
