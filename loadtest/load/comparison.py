"""Two results side by side."""

from dataclasses import dataclass

from loadtest.load.result import VOID, LoadResult, list_figures

SAME_SHARE = 0.10  # of the older value: runs differ by as much
MORE_IS_BETTER = ("deliveries_per_s", "messages_per_s", "knee_messages_per_s", "deliveries", "sent")
COMPARED = (
    "knee_messages_per_s", "messages_per_s", "deliveries_per_s", "p50_delivery_ms", "p99_delivery_ms",
    "max_delivery_ms", "p99_ack_ms", "p99_handshake_ms", "p99_caught_up_ms", "p99_page_ms", "lost",
    "duplicated", "out_of_order", "phantom", "unacked", "refused", "us_per_delivery", "kib_per_socket",
    "accept_ms", "memory_mib_per_h", "generator_cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """How one figure has changed."""

    name: str
    before: float
    now: float

    @property
    def share(self) -> float | None:
        """The change as a share of the older value; None if that was 0."""
        return (self.now - self.before) / self.before if self.before else None

    @property
    def verdict(self) -> str:
        """Better, worse or same."""
        if (self.share is not None and abs(self.share) <= SAME_SHARE) or self.now == self.before:
            return "same"
        return "better" if (self.now > self.before) == (self.name in MORE_IS_BETTER) else "worse"

    @property
    def text(self) -> str:
        """The change in percent, or its amount if the older value was 0."""
        return f"{self.share:+.0%}" if self.share is not None else f"{self.now - self.before:+g}"


def find_changes(before: LoadResult, now: LoadResult) -> list[Change]:
    """Return the change of every compared figure that both results have."""
    old, new = list_figures(before), list_figures(now)
    return [Change(name, old[name], new[name]) for name in COMPARED if name in old and name in new]


def find_differences(before: LoadResult, now: LoadResult) -> list[str]:
    """Return what makes the two hard to compare, as sentences."""
    names = ("scenario", "sockets", "rooms", "rate", "characters")
    found = [
        f"{name} was {before['plan'].get(name)} and is {now['plan'].get(name)}."
        for name in names
        if before["plan"].get(name) != now["plan"].get(name)
    ]
    return found + (["The older run was void."] if before["verdict"] == VOID else [])
