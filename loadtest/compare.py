"""Two results side by side."""

from dataclasses import dataclass
from typing import Any

from loadtest.result import figures

SAME = 0.10  # of the older value: runs differ by as much
MORE_IS_BETTER = ("deliveries_per_s", "messages_per_s", "knee_messages_per_s", "deliveries", "sent")
SHOWN = (
    "knee_messages_per_s", "messages_per_s", "deliveries_per_s", "p50_delivery_ms", "p99_delivery_ms",
    "max_delivery_ms", "p99_ack_ms", "p99_handshake_ms", "p99_caught_up_ms", "p99_page_ms", "lost",
    "duplicated", "out_of_order", "phantom", "unacked", "refused", "us_per_delivery", "kib_per_socket",
    "accept_ms", "memory_mib_per_h", "generator_cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """Of one figure."""

    name: str
    before: float
    now: float

    @property
    def share(self) -> float | None:
        """Of the older value; None when that was 0."""
        return (self.now - self.before) / self.before if self.before else None

    @property
    def verdict(self) -> str:
        """better, worse or same."""
        if (self.share is not None and abs(self.share) <= SAME) or self.now == self.before:
            return "same"
        return "better" if (self.now > self.before) == (self.name in MORE_IS_BETTER) else "worse"

    @property
    def told(self) -> str:
        return f"{self.share:+.0%}" if self.share is not None else f"{self.now - self.before:+g}"


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    """Of every figure that both have."""
    old, new = figures(before), figures(now)
    return [Change(name, old[name], new[name]) for name in SHOWN if name in old and name in new]


def unlike(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What makes the two hard to compare; sentences."""
    names = ("scenario", "sockets", "rooms", "rate", "characters")
    found = [
        f"{name} was {before['plan'][name]} and is {now['plan'][name]}."
        for name in names
        if before["plan"].get(name) != now["plan"].get(name)
    ]
    return found + [f"The older run was {before['verdict']}." for _ in [0] if before["verdict"] == "void"]
