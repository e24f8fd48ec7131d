"""The Channels tutorial's chat on stock daphne, with either channel layer of channels-redis."""

import sys
from dataclasses import dataclass

from loadtest.bench.address import Address
from loadtest.bench.client.protocols import ROOM
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import ServerProcesses, start_redis
from loadtest.core.host import find_free_port

SITE = "loadtest.bench.contenders.tutorial"


@dataclass(frozen=True)
class Tutorial:
    """One daphne and one Redis. `layer`: core or pubsub."""

    layer: str = "core"

    @property
    def name(self) -> str:
        """As on the command line and in the results."""
        return "tutorial" if self.layer == "core" else "tutorial-pubsub"

    @property
    def title(self) -> str:
        """As in the table."""
        return f"Channels tutorial, {'core' if self.layer == 'core' else 'pub/sub'} layer"

    def find_obstacle(self) -> str | None:
        """Return None: all of it is always installed."""
        return None

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start Redis, and daphne on a free port."""
        env = {
            "DJANGO_SETTINGS_MODULE": f"{SITE}.settings",
            "TUTORIAL_LAYER": self.layer,
            "TUTORIAL_REDIS": f"unix://{start_redis(servers)}",
        }
        address = Address(port=find_free_port())
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(address.port)]
        process = servers.start("server", [*command, f"{SITE}.asgi:application"], env=env)
        servers.await_listening(address)
        return Target(address, "plain", path=f"/ws/chat/{ROOM}/", listening_pid=process.pid)
