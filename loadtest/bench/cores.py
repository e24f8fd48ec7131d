"""Which core measures and which is measured.

The client has the last core for itself; servers, Redis and nginx share all the others. So neither waits for the
other, "busy" means the share of one core, and on the usual two cores "deliveries a second" is what one core can do.
BENCH_UNPINNED=1 leaves everybody where the kernel likes, to see what that changes.
"""

import os

ALL = sorted(os.sched_getaffinity(0))
PINNED = len(ALL) > 1 and not os.environ.get("BENCH_UNPINNED")
CLIENT: int | None = ALL[-1] if PINNED else None
SERVERS = ",".join(map(str, ALL[:-1] if PINNED else ALL))  # as taskset wants them
