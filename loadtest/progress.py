"""A line about the run, every two seconds: rewritten in place on a terminal, one after the other elsewhere."""

import sys
import time
from typing import TextIO

from loadtest.tally import Tally

EVERY = 2.0  # seconds


class Progress:
    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self.stream = stream
        self.in_place = stream.isatty()
        self._last = 0.0

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(f"load: {text}", file=self.stream, flush=True)

    def show(self, tally: Tally, name: str, left: float) -> None:
        """How it goes now."""
        if (now := time.monotonic()) - self._last < EVERY:
            return
        self._last = now
        line = f"load: {name}, {max(0, left):.0f} s left: {told(tally)}"
        if self.in_place:
            self._clear()
            self.stream.write(line)
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def _clear(self) -> None:
        if self.in_place:
            self.stream.write("\r\x1b[K")


def told(tally: Tally) -> str:
    """A few figures of this moment."""
    latest, seconds = tally.latest(), tally.open_seconds
    delivery = latest.latencies.get("delivery")
    generators = tally.generators.values()
    faults = sum(tally.total.counts[name] for name in ("duplicated", "out_of_order", "phantom"))
    parts = [
        f"{tally.ready:,} sockets",
        f"{latest.counts['sent'] / seconds:,.0f} messages/s",
        f"{latest.counts['deliveries'] / seconds:,.0f} deliveries/s",
        *([f"p99 {delivery.ms(99):,.0f} ms"] if delivery and delivery.count else []),
        f"{tally.waiting:,} unacked",
        f"generator {max((one.cpu for one in generators), default=0):.0%}",
        *([f"{faults:,} FAULTS"] if faults else []),
        *([f"{sum(tally.total.named['failed'].values()):,} failed to come in"] if tally.total.named["failed"] else []),
    ]
    return ", ".join(parts)
