"""The table of what can go wrong: each row is one small function that knows its hop, its cause and its cure.

A new failure is a function here beside its like in causes/, and a test in tests/doctor that injects it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from deploy.doctor.seen import Seen


class Hop(Enum):
    """In the order of a browser's way; `code` is the exit code when the way ends there."""

    NAME = ("DNS", 10)
    TCP = ("TCP", 11)
    TLS = ("TLS", 12)
    REDIRECT = ("redirect", 13)
    HTTP = ("HTTP", 14)
    SENTINEL = ("426", 15)
    WEBSOCKET = ("WebSocket", 16)
    CHANNELS = ("Channels", 17)
    LAYER = ("layer", 18)
    CHAT = ("chat", 19)
    HOLD = ("hold", 20)
    CLOSE = ("close", 21)

    def __init__(self, title: str, code: int) -> None:
        self.title = title
        self.code = code


@dataclass(frozen=True)
class Evidence:
    """What was seen, in one line; `where` is file:line when it is known."""

    text: str
    where: str = ""


@dataclass(frozen=True)
class Row:
    number: int
    """Of the catalogue; variants share one, 0 is a neighbour that has none."""
    hop: Hop
    cause: str
    fix: str
    warning: bool
    """Not what breaks the hop; told beside whatever does."""
    check: Callable[[Seen], Evidence | str | None]

    @property
    def name(self) -> str:
        return self.check.__name__.replace("_", "-")


@dataclass(frozen=True)
class Finding:
    row: Row
    evidence: Evidence


Check = Callable[[Seen], Evidence | str | None]
ROWS: list[Row] = []


def row(number: int, hop: Hop, cause: str, fix: str, *, warning: bool = False) -> Callable[[Check], Check]:
    """Enter a check into the table. It returns the evidence, or None: not this. In a hop the first that speaks wins."""

    def enter(check: Check) -> Check:
        ROWS.append(Row(number, hop, cause, fix, warning, check))
        return check

    return enter


def findings(hop: Hop, seen: Seen) -> Iterator[Finding]:
    """All warnings of this hop, and the first row that explains why it is broken, if it is."""
    broken = False
    for one in ROWS:
        if one.hop is not hop or (broken and not one.warning):
            continue
        found = one.check(seen)
        if found:
            broken = broken or not one.warning
            yield Finding(one, Evidence(found) if isinstance(found, str) else found)
