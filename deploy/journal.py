"""The journal of systemd from a moment on: what came before, such as an earlier failure, is never read."""

import json
import shlex
import subprocess
import time
from dataclasses import dataclass
from typing import cast

from deploy.failure_cause import LogLine

CURSOR = "-- cursor: "


@dataclass(frozen=True)
class JournalMark:
    """A place in the journal."""

    cursor: str
    """Of the last entry; "" when the journal was empty, and so has nothing old."""
    seconds: int
    """The time, in whole seconds since 1970, never rounded up: for a command that people type."""


def mark_journal() -> JournalMark:
    """Return the present end of the journal."""
    seconds = int(time.time())
    _run("--sync")  # what was logged just now is written first, and is so before the mark
    printed = _run("--lines=1", "--show-cursor", "--output=cat", "--quiet").splitlines()
    last = printed[-1] if printed else ""
    return JournalMark(last.removeprefix(CURSOR) if last.startswith(CURSOR) else "", seconds)


def read_journal(unit: str, mark: JournalMark) -> list[LogLine]:
    """Return what the unit and systemd have logged of it since the mark, oldest first."""
    _run("--sync")
    # --after-cursor of systemd 252 leaves out a unit's first entry when the cursor's own entry is of another unit.
    since = [f"--cursor={mark.cursor}"] if mark.cursor else []
    # Without --all, a long message such as a traceback in JSON is left out.
    printed = _run(f"--unit={unit}", *since, "--output=json", "--all", "--quiet")
    entries = [json.loads(entry) for entry in printed.splitlines()]
    new = [entry for entry in entries if entry["__CURSOR"] != mark.cursor]
    return [line for entry in new for line in _read_entry(entry)]


def describe_command(unit: str, mark: JournalMark) -> str:
    """Return the command that shows the whole log of a unit, or of units by a pattern, since the mark."""
    return f"journalctl -u {shlex.quote(unit)} --since @{mark.seconds}"


def _read_entry(entry: dict[str, object]) -> list[LogLine]:
    """Return the lines of one entry. A message that is not UTF-8, or not printable, is a list of bytes."""
    message = entry.get("MESSAGE") or ""
    is_bytes = isinstance(message, list) and all(isinstance(byte, int) for byte in message)
    text = bytes(cast("list[int]", message)).decode(errors="replace") if is_bytes else str(message)
    is_of_systemd = entry.get("SYSLOG_IDENTIFIER") == "systemd" or "UNIT" in entry
    return [LogLine(line, is_of_systemd) for line in text.splitlines()]


def _run(*arguments: str) -> str:
    """Run journalctl and return what it prints; nothing where it fails."""
    return subprocess.run(
        ["journalctl", *arguments], capture_output=True, text=True, errors="replace", check=False
    ).stdout
