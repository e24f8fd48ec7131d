"""nats-server, spoken to over WebSocket."""

from dataclasses import dataclass

from loadtest.bench import install
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import Programs, free_port

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
    name: str = "nats"
    title: str = "nats-server"

    def missing(self) -> str | None:
        return None if install.program("nats-server") else install.debian("nats-server")

    def start(self, programs: Programs, members: int) -> Target:
        address = Address(port=free_port())
        file = programs.folder / "nats.conf"
        file.write_text(CONFIGURATION.format(port=free_port(), socket_port=address.port))
        process = programs.start("server", ["nats-server", "-c", str(file)])
        programs.await_listening(address)
        return Target(address, "nats", path="/", listening_pid=process.pid)
