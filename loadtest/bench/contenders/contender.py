"""What a contender is."""

from dataclasses import dataclass, field
from typing import Protocol

from loadtest.bench.address import Address
from loadtest.bench.servers import ServerProcesses


@dataclass(frozen=True)
class Target:
    """Where and how the client reaches a contender that runs.

    Attributes:
        address: for WebSockets.
        protocol: a name in `loadtest.bench.client.protocols.PROTOCOLS`.
        path: of the WebSocket.
        cookies: sessions, used in turn; empty if the contender has none.
        post_to: where messages are published by HTTP, if the members do not send them.
        listening_pid: the process that listens at the address.
    """

    address: Address
    protocol: str
    path: str = "/ws/"
    cookies: list[str] = field(default_factory=list)
    post_to: Address | None = None
    listening_pid: int = 0


class Contender(Protocol):
    """A server that delivers one message to all members of a room."""

    @property
    def name(self) -> str:
        """As on the command line and in the results."""

    @property
    def title(self) -> str:
        """As in the table."""

    def find_obstacle(self) -> str | None:
        """Return why it cannot run on this machine; None if it can. Installs what it needs, if it may."""

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start it for a room of so many members.

        Raises:
            NotStarted: it does not run.
        """
