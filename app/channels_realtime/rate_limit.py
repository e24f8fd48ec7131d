"""How often something may happen."""

import time
from collections.abc import Callable


class TokenBucket:
    """A token bucket: `burst` tokens at once, refilled with `rate` tokens a second."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a full bucket; `clock` returns seconds."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._refilled_at = float(burst), clock()

    def take(self) -> float:
        """Take one token. Returns 0, or the seconds until there is one; then none was taken."""
        self._refill()
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0

    def peek(self) -> float:
        """Return the seconds until there is a token, and take none."""
        self._refill()
        return max(0.0, (1 - self._tokens) / self._rate)

    def reserve(self) -> float:
        """Take one token, even one that is still to come. Returns the seconds until it is there."""
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._refilled_at) * self._rate)
        self._refilled_at = now
