"""A line about the run every two seconds: rewritten in place on a terminal, otherwise appended."""

import sys
import time
from typing import TextIO

from loadtest.load.totals import RunTotals

INTERVAL_SECONDS = 2.0


class Progress:
    """Prints how the run goes."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self._shown_at = 0.0

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._clear()
        print(f"load: {text}", file=self.stream, flush=True)

    def show(self, totals: RunTotals, name: str, left: float) -> None:
        """Print the present figures, if the last line is old enough.

        Args:
            totals: of the run.
            name: of what is going on.
            left: seconds until it ends.
        """
        if (now := time.monotonic()) - self._shown_at < INTERVAL_SECONDS:
            return
        self._shown_at = now
        line = f"load: {name}, {max(0, left):.0f} s left: {describe_present(totals)}"
        if self.is_terminal:
            self._clear()
            self.stream.write(line)
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def _clear(self) -> None:
        if self.is_terminal:
            self.stream.write("\r\x1b[K")


def describe_present(totals: RunTotals) -> str:
    """Return a few figures of the last seconds."""
    latest, seconds = totals.sum_latest(), totals.open_seconds
    delivery = latest.latencies.get("delivery")
    generators = totals.generators.values()
    faults = sum(totals.total.counts[name] for name in ("duplicated", "out_of_order", "phantom"))
    failed = totals.total.counters.failed.total()
    parts = [
        f"{totals.joined:,} sockets",
        f"{latest.counts['sent'] / seconds:,.0f} messages/s",
        f"{latest.counts['deliveries'] / seconds:,.0f} deliveries/s",
        *([f"p99 {delivery.percentile_ms(99):,.0f} ms"] if delivery and delivery.count else []),
        f"{totals.unacked:,} unacked",
        f"generator {max((one.cpu for one in generators), default=0):.0%}",
        *([f"{faults:,} FAULTS"] if faults else []),
        *([f"{failed:,} attempts to join failed"] if failed else []),
    ]
    return ", ".join(parts)
