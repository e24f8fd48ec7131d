"""The catalogue of causes: each is one function that judges the observations, with its hop, its sentence and its fix.

To add a cause, add a function to a module of `causes/` and a test in `tests/doctor/` that makes the fault happen.
`deploy.doctor.causes` has the list of all causes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from deploy.doctor.observations import Observations


class Hop(Enum):
    """The hops of a WebSocket, in the order in which a browser passes them."""

    DNS = ("DNS", 10)
    TCP = ("TCP", 11)
    TLS = ("TLS", 12)
    REDIRECT = ("redirect", 13)
    HTTP = ("HTTP", 14)
    UPGRADE_PROBE = ("426", 15)
    WEBSOCKET = ("WebSocket", 16)
    CHANNELS = ("Channels", 17)
    LAYER = ("layer", 18)
    CHAT = ("chat", 19)
    HOLD = ("hold", 20)
    CLOSE = ("close", 21)

    def __init__(self, title: str, exit_code: int) -> None:
        """Name the hop in reports, and give the doctor's exit code when this hop is broken."""
        self.title = title
        self.exit_code = exit_code


class HopState(StrEnum):
    """The state of a hop, as reports name it."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """The hop was probed as far as possible, and that does not tell whether it works."""
    SKIPPED = "skipped"
    """The hop was not probed, because one before it is broken."""


@dataclass(frozen=True)
class Evidence:
    """What was observed, in one line."""

    text: str
    where: str = ""
    """FILE:LINE of the configuration, or the log; empty when it is not known."""


Check = Callable[[Observations], Evidence | str | None]
"""Returns the evidence for a cause, or None when the cause does not apply."""


@dataclass(frozen=True)
class Cause:
    """An entry of the catalogue."""

    number: int
    """The catalogue's number; variants of a cause share it, and 0 means that the cause has none."""
    hop: Hop
    sentence: str
    fix: str
    is_warning: bool
    """Whether the hop works in spite of it; a warning is reported beside the cause that breaks a hop."""
    former_name: str | None
    """The name in reports of version 1."""
    check: Check

    @property
    def name(self) -> str:
        """The name in reports, which stays the same in every release: that of the function, with hyphens."""
        return self.check.__name__.replace("_", "-")


@dataclass(frozen=True)
class Finding:
    """A cause that applies, with the evidence."""

    cause: Cause
    evidence: Evidence


_registered: list[Cause] = []


def register_cause(
    number: int, hop: Hop, sentence: str, fix: str, *, is_warning: bool = False, former_name: str | None = None
) -> Callable[[Check], Check]:
    """Return a decorator that adds a check to the catalogue. See `Cause` for the arguments."""

    def register(check: Check) -> Check:
        _registered.append(Cause(number, hop, sentence, fix, is_warning, former_name, check))
        return check

    return register


def causes_of_module(name: str) -> list[Cause]:
    """Return the causes that a module has registered, in the order of its functions."""
    return [cause for cause in _registered if cause.check.__module__ == name]
