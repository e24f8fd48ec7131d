"""nats-server, reached over WebSocket."""

from dataclasses import dataclass

from loadtest.bench import install
from loadtest.bench.address import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import ServerProcesses
from loadtest.core.host import find_free_port

CONFIGURATION = """
listen: "127.0.0.1:{port}"
max_connections: 20000
websocket {{
    listen: "127.0.0.1:{socket_port}"
    no_tls: true
}}
"""


@dataclass(frozen=True)
class Nats:
    """One nats-server."""

    name: str = "nats"
    title: str = "nats-server"

    def find_obstacle(self) -> str | None:
        """Return why nats-server is not installed and could not be; None if it is."""
        return None if install.find_program("nats-server") else install.install_debian_package("nats-server")

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start it with a configuration of its own, on free ports."""
        address = Address(port=find_free_port())
        file = servers.folder / "nats.conf"
        file.write_text(CONFIGURATION.format(port=find_free_port(), socket_port=address.port))
        process = servers.start("server", ["nats-server", "-c", str(file)])
        servers.await_listening(address)
        return Target(address, "nats", path="/", listening_pid=process.pid)
