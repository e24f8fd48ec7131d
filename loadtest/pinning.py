"""Cores of their own for the generator and for a stack of the run's own, so that neither waits for the other.

A server elsewhere needs none of that: then workers run where the kernel likes. LOAD_UNPINNED=1 leaves everybody so.
"""

import os

ALL = sorted(os.sched_getaffinity(0))


def split(processes: int) -> tuple[list[int], list[int]]:
    """For the server and for so many worker processes; the same, where there is nothing to share out."""
    if len(ALL) < 2 or os.environ.get("LOAD_UNPINNED"):
        return ALL, ALL
    last = min(processes, len(ALL) // 2)
    return ALL[:-last], ALL[-last:]
