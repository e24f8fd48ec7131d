"""Socket.IO 4 on Node.js with its Redis adapter."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.address import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import NotStarted, ServerProcesses, start_redis
from loadtest.core.host import find_free_port

HERE = Path(__file__).parent / "socketio"


@dataclass(frozen=True)
class SocketIO:
    """One Node.js process and one Redis."""

    name: str = "socketio"
    title: str = "Socket.IO 4, Redis adapter"

    def find_obstacle(self) -> str | None:
        """Return why its npm packages are not installed and could not be; None if they are."""
        place = install.install_npm_packages(HERE)
        return place if isinstance(place, str) else None

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start Redis, and Node.js on a free port."""
        place = install.install_npm_packages(HERE)
        if isinstance(place, str):
            raise NotStarted(place)
        # Node.js looks for packages beside the program.
        program = shutil.copy(HERE / "server.mjs", place / "server.mjs")
        address = Address(port=find_free_port())
        command = ["node", str(program), str(address.port), str(start_redis(servers))]
        process = servers.start("server", command, env={"NODE_ENV": "production"})
        servers.await_listening(address)
        return Target(address, "socketio", path="/ws/socket.io/?EIO=4&transport=websocket", listening_pid=process.pid)
