"""CPU time and memory of processes and all their descendants, by psutil."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import psutil  # type: ignore[import-untyped,unused-ignore]

SCHEDSTAT = Path("/proc/self/schedstat")


Process: TypeAlias = psutil.Process


class Usage(NamedTuple):
    """What processes have used since they started."""

    cpu: float  # seconds, of children that have ended too
    rss: int  # bytes; pages that processes share count in each


def find_families(roots: Mapping[str, int | Iterable[int]]) -> dict[str, list[Process]]:
    """Return the processes with these ids that are alive, and all their descendants, by name."""
    return {name: _family([pids] if isinstance(pids, int) else pids) for name, pids in roots.items()}


def measure_usage(processes: Iterable[Process]) -> Usage:
    """Return the sum over exactly these processes; one that has ended counts in the parent that waited for it."""
    cpu, rss = 0.0, 0
    for process in processes:
        try:
            cpu += sum(process.cpu_times()[:4])  # user, system, and both of children that have ended
            rss += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return Usage(cpu, rss)


def measure_family(pids: Iterable[int]) -> Usage:
    """Return what the processes with these ids and all their descendants have used."""
    return measure_usage(_family(pids))


def has_mapped(pid: int, word: str) -> bool:
    """Return whether the process has loaded a library with this word in its path."""
    return any(word in region.path for region in psutil.Process(pid).memory_maps())


def measure_cpu_wait() -> float:
    """Return the seconds that this process was ready to run and had to wait for a core; 0 if the kernel does not tell.

    psutil has no such figure, so it is read from the kernel's schedstat.
    """
    try:
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _family(pids: Iterable[int]) -> list[Process]:
    found: dict[int, Process] = {}
    for pid in pids:
        try:
            root = psutil.Process(pid)
            found |= {process.pid: process for process in (root, *root.children(recursive=True))}
        except psutil.NoSuchProcess:
            continue
    return list(found.values())
