"""The ends of logs: what was there when we came, and what our own requests have added."""

import subprocess
from pathlib import Path

from deploy.doctor.inside.seen import Inside

BYTES = 128 * 1024  # of the end of each log
UNITS = "parley-*"
JOURNAL = f"journalctl -u '{UNITS}'"


def begin(inside: Inside, files: list[Path]) -> None:
    """Of these files, of nginx's own and of the journal of our units."""
    named = [one.args[0] for one in inside.nginx.root.walk() if one.name == "error_log"] if inside.nginx else []
    for file in dict.fromkeys([*files, *(Path(name) for name in named if name.startswith("/"))]):
        try:
            inside.log_files[file] = file.stat().st_size
            inside.earlier[str(file)] = lines(file, max(0, inside.log_files[file] - BYTES))
        except OSError as error:
            inside.notes.append(f"the log {file}: {error.strerror}")
    inside.earlier[JOURNAL] = journal("-15min")


def follow(inside: Inside) -> None:
    """Look again, where there may be something new."""
    if not inside.logs_are_old:
        return
    inside.logs_are_old = False
    for file, size in inside.log_files.items():
        inside.logs[str(file)] = lines(file, size)
    inside.logs[JOURNAL] = journal(f"@{inside.began:.0f}")


def lines(file: Path, start: int) -> list[str]:
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(BYTES).decode(errors="replace").splitlines()


def journal(since: str) -> list[str]:
    shown = said("journalctl", "--no-pager", "--output=cat", "--lines=500", f"--since={since}", f"--unit={UNITS}")
    return shown.splitlines()


def said(*command: str) -> str:
    """What a program prints; empty where there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
