"""The `websockets` library's own broadcast: no rooms, no bus, no database."""

import sys
from dataclasses import dataclass

from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import Programs, free_port


@dataclass(frozen=True)
class Broadcast:
    name: str = "broadcast"
    title: str = "websockets.broadcast, bare"

    def missing(self) -> str | None:
        return None

    def start(self, programs: Programs, members: int) -> Target:
        address = Address(port=free_port())
        module = "loadtest.bench.contenders.broadcast_server"
        process = programs.start("server", [sys.executable, "-m", module, str(address.port)])
        programs.await_listening(address)
        return Target(address, "bare", listening_pid=process.pid)
