"""How long the event loop keeps things waiting."""

import asyncio
from collections import deque

from realtime.metrics import LAG

EVERY = 0.1  # seconds between two looks
REMEMBERED = 100  # looks: 10 s


class LoopLag:
    """Looks at the clock EVERY so often; being late for that is what everything else suffers, too."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=REMEMBERED)
        LAG.set_function(lambda: max(self._seen, default=0.0))

    def start(self) -> None:
        """Watch the running (or about to run) loop from now on."""
        self._loop = asyncio.get_event_loop()
        self._next = self._loop.time() + EVERY
        self._loop.call_at(self._next, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self._seen.append(now - self._next)
        self._next = now + EVERY
        self._loop.call_at(self._next, self._look)
