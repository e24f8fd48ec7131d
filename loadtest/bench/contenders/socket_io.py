"""Socket.IO 4 on Node.js with its Redis adapter."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import NotStarted, Programs, free_port, redis

HERE = Path(__file__).parent / "socketio"


@dataclass(frozen=True)
class SocketIO:
    name: str = "socketio"
    title: str = "Socket.IO 4, Redis adapter"

    def missing(self) -> str | None:
        place = install.npm(HERE)
        return place if isinstance(place, str) else None

    def start(self, programs: Programs, members: int) -> Target:
        place = install.npm(HERE)
        if isinstance(place, str):
            raise NotStarted(place)
        # Node looks for packages beside the program.
        program = shutil.copy(HERE / "server.mjs", place / "server.mjs")
        address = Address(port=free_port())
        command = ["node", str(program), str(address.port), str(redis(programs))]
        process = programs.start("server", command, env={"NODE_ENV": "production"})
        programs.await_listening(address)
        return Target(address, "socketio", path="/ws/socket.io/?EIO=4&transport=websocket", listening_pid=process.pid)
