"""What processes have used, from /proc: theirs, their threads' and their children's."""

import os
from collections.abc import Iterable, Mapping
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
    return usage_of(families({"all": roots}, proc)["all"], proc)


def families(roots: Mapping[str, int | Iterable[int]], proc: Path = PROC) -> dict[str, set[int]]:
    """These processes that are alive, and all their descendants, by name."""
    parents = {}
    for folder in proc.iterdir():
        if folder.name.isdigit() and (stat := _stat(int(folder.name), proc)):
            parents[int(folder.name)] = stat.parent
    found = {}
    for name, of_name in roots.items():
        family = {pid for pid in ([of_name] if isinstance(of_name, int) else of_name) if pid in parents}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        found[name] = family
    return found


def usage_of(family: Iterable[int], proc: Path = PROC) -> Usage:
    """Of exactly these processes."""
    alive = {pid: stat for pid in family if (stat := _stat(pid, proc))}
    cpu = sum(stat.ticks for stat in alive.values()) / TICKS
    return Usage(cpu=cpu, rss=sum(rss(pid, proc) for pid in alive))


def _stat(pid: int, proc: Path) -> Stat | None:
    try:
        return parse_stat((proc / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None  # ended this moment


def rss(pid: int, proc: Path = PROC) -> int:
    """Bytes of one process; 0 when it has ended."""
    try:
        return int((proc / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def maps(pid: int, word: str, proc: Path = PROC) -> bool:
    """Whether a file with this word in its path is mapped into the process: a library it has loaded."""
    return word in (proc / str(pid) / "maps").read_text()
