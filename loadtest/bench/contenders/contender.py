"""What a contender is."""

from dataclasses import dataclass, field
from typing import Protocol

from loadtest.bench.client.lines import Address
from loadtest.bench.programs import Programs


@dataclass(frozen=True)
class Target:
    """Where and how the client reaches a contender that runs."""

    address: Address
    dialect: str  # a name in client/dialects.py
    path: str = "/ws/"
    cookies: list[str] = field(default_factory=list)
    post_to: Address | None = None
    listening_pid: int = 0  # the process whose sockets these are


class Contender(Protocol):
    """A way to deliver one message to a room."""

    @property
    def name(self) -> str:
        """As on the command line and in the results."""

    @property
    def title(self) -> str:
        """As in the table."""

    def missing(self) -> str | None:
        """Why it cannot run on this machine; None when it can. Installs what it may."""

    def start(self, programs: Programs, members: int) -> Target:
        """Start it for a room of so many. Raises NotStarted."""
