"""The `websockets` library's own broadcast: no rooms, no bus, no database."""

import sys
from dataclasses import dataclass

from loadtest.bench.address import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import ServerProcesses
from loadtest.core.host import find_free_port


@dataclass(frozen=True)
class Broadcast:
    """One process of `broadcast_server`."""

    name: str = "broadcast"
    title: str = "websockets.broadcast, bare"

    def find_obstacle(self) -> str | None:
        """Return None: the library is always installed."""
        return None

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start the server on a free port."""
        address = Address(port=find_free_port())
        module = "loadtest.bench.contenders.broadcast_server"
        process = servers.start("server", [sys.executable, "-m", module, str(address.port)])
        servers.await_listening(address)
        return Target(address, "plain", listening_pid=process.pid)
