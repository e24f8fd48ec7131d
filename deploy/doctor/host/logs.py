"""The ends of the servers' logs: the lines before the doctor began, and those that its own requests have added.

A log explains why a hop is broken. It never breaks a hop that works.
"""

import re
import subprocess
from pathlib import Path

from deploy.doctor.catalogue import Evidence
from deploy.doctor.observations import HostObservations, Observations

MAX_LOG_BYTES = 128 * 1024  # of the end of each log are read
MAX_LINE_LENGTH = 300  # characters of a line that a report quotes
PROGRAM_TIMEOUT_SECONDS = 5
JOURNAL_SINCE = "-15min"


def start_reading(host: HostObservations, files: list[Path]) -> None:
    """Observe the last lines of these files, of nginx's error logs and of the journal of the site's units."""
    directives = host.nginx.root.descendants() if host.nginx else []
    named = [directive.args[0] for directive in directives if directive.name == "error_log"]
    for file in dict.fromkeys([*files, *(Path(name) for name in named if name.startswith("/"))]):
        try:
            host.log_sizes[file] = file.stat().st_size
            host.earlier_lines[str(file)] = read_lines(file, max(0, host.log_sizes[file] - MAX_LOG_BYTES))
        except OSError as error:
            host.not_inspected.append(f"the log {file}: {error.strerror}")
    read_journal(host, host.earlier_lines, JOURNAL_SINCE)


def read_new_lines(host: HostObservations) -> None:
    """Observe what was written to the logs since the doctor began, if it sent a request since it last read them."""
    if not host.are_new_lines_outdated:
        return
    host.are_new_lines_outdated = False
    for file, size in host.log_sizes.items():
        host.new_lines[str(file)] = read_lines(file, size)
    read_journal(host, host.new_lines, f"@{host.started_at:.0f}")


def find_in_logs(observations: Observations, pattern: str, *, includes_earlier: bool = False) -> Evidence | None:
    """Return the newest line that matches and was written since the doctor began.

    Args:
        observations: those of a doctor on the host; other doctors have no logs.
        pattern: a regular expression.
        includes_earlier: search the lines before the doctor began as well, for a server that ended before.
    """
    host = observations.host
    if host is None:
        return None
    read_new_lines(host)
    logs = [*host.new_lines.items(), *(host.earlier_lines.items() if includes_earlier else ())]
    for name, lines in logs:
        for line in reversed(lines):
            if re.search(pattern, line):
                return Evidence(line.strip()[:MAX_LINE_LENGTH], name)
    return None


def read_lines(file: Path, start: int) -> list[str]:
    """Return the lines from this byte on, at most MAX_LOG_BYTES. Raises OSError."""
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(MAX_LOG_BYTES).decode(errors="replace").splitlines()


def read_journal(host: HostObservations, lines: dict[str, list[str]], since: str) -> None:
    """Add the newest lines of the site's units since this time, in journalctl's notation, to `lines`."""
    if host.units:
        command = (
            "journalctl",
            "--no-pager",
            "--output=cat",
            "--lines=500",
            f"--since={since}",
            f"--unit={host.units}",
        )
        lines[f"journalctl -u '{host.units}'"] = run_program(*command).splitlines()


def run_program(*command: str) -> str:
    """Return what a program prints; empty when it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
