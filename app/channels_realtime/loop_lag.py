"""How long the event loop makes callbacks wait."""

import asyncio
from collections import deque

from .metrics import LOOP_LAG_SECONDS

SAMPLE_INTERVAL_SECONDS = 0.1
KEPT_SAMPLES = 100  # the last 10 s


class LoopLag:
    """Samples the event loop: a sample that runs late was delayed as long as everything else in the loop."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=KEPT_SAMPLES)  # seconds late
        LOOP_LAG_SECONDS.set_function(lambda: max(self._samples, default=0.0))

    def start(self) -> None:
        """Sample the current event loop from now on."""
        self._loop = asyncio.get_event_loop()
        self._due = self._loop.time() + SAMPLE_INTERVAL_SECONDS
        self._loop.call_at(self._due, self._sample)

    def _sample(self) -> None:
        now = self._loop.time()
        self._samples.append(now - self._due)
        self._due = now + SAMPLE_INTERVAL_SECONDS
        self._loop.call_at(self._due, self._sample)
