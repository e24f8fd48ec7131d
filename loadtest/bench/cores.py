"""Which core measures and which is measured.

The client has the last core for itself; servers, Redis and nginx share all the others. So neither waits for the
other, "busy" means the share of one core, and on the usual two cores "deliveries a second" is what one core can do.
"""

import os

ALL = sorted(os.sched_getaffinity(0))
CLIENT: int | None = ALL[-1] if len(ALL) > 1 else None
SERVERS = ",".join(map(str, ALL[:-1] or ALL))  # as taskset wants them
