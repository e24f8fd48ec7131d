"""Which cores measure and which are measured, so that neither the generator nor the server waits for the other.

With two cores the generator has one and the servers have one: "busy" then means the share of one core.
LOAD_UNPINNED=1 or BENCH_UNPINNED=1 leaves every process where the kernel schedules it.
"""

import os
from typing import NamedTuple

ALL_CORES = sorted(os.sched_getaffinity(0))


class CoreSplit(NamedTuple):
    """Numbers of cores."""

    servers: list[int]
    generators: list[int]


def split_cores(generators: int = 1) -> CoreSplit:
    """Return the cores for servers and for so many generator processes; all cores for both if there is only one."""
    if len(ALL_CORES) < 2 or os.environ.get("LOAD_UNPINNED") or os.environ.get("BENCH_UNPINNED"):
        return CoreSplit(ALL_CORES, ALL_CORES)
    last = min(generators, len(ALL_CORES) // 2)
    return CoreSplit(ALL_CORES[:-last], ALL_CORES[-last:])
