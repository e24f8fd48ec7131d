"""What processes have used, from /proc: theirs, their threads' and their children's."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")  # a second
PAGE = os.sysconf("SC_PAGE_SIZE")  # bytes


class Stat(NamedTuple):
    """Of one process, all its threads included."""

    parent: int
    ticks: int  # utime + stime, and those of children that have ended and were waited for


class Usage(NamedTuple):
    cpu: float  # seconds
    rss: int  # bytes; pages that processes share count in each


def parse_stat(text: str) -> Stat:
    """Read /proc/PID/stat. The program's name, in parentheses, may itself hold parentheses and spaces."""
    fields = text.rpartition(")")[2].split()
    return Stat(parent=int(fields[1]), ticks=sum(map(int, fields[11:15])))


def usage(roots: Iterable[int], proc: Path = PROC) -> Usage:
    """Of these processes and all their descendants. One that has ended counts in whoever waited for it."""
    stats = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                stats[int(folder.name)] = parse_stat((folder / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended this moment
    family = {pid for pid in roots if pid in stats}
    while more := {pid for pid, stat in stats.items() if stat.parent in family} - family:
        family |= more
    return Usage(cpu=sum(stats[pid].ticks for pid in family) / TICKS, rss=sum(_rss(pid, proc) for pid in family))


def _rss(pid: int, proc: Path) -> int:
    try:
        return int((proc / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def maps(pid: int, word: str, proc: Path = PROC) -> bool:
    """Whether a file with this word in its path is mapped into the process: a library it has loaded."""
    return word in (proc / str(pid) / "maps").read_text()
