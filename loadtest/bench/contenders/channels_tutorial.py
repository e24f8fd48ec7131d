"""The Channels tutorial's chat with each channel layer, on stock daphne or on our server."""

import sys
from dataclasses import dataclass

from loadtest.bench.address import Address
from loadtest.bench.client.protocols import ROOM
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import ServerProcesses, start_redis
from loadtest.core.host import REPO, find_free_port

LAYERS = {"core": "core layer", "pubsub": "pub/sub layer", "stack": "the stack's layer"}
SITE = "loadtest.bench.contenders.tutorial"


@dataclass(frozen=True)
class Tutorial:
    """One server and one Redis.

    Attributes:
        layer: core or pubsub of channels-redis, or stack, the one that the stack gives a project.
        is_guest: served by `python -m channels_realtime.server` instead of daphne, to see what that costs a project.
    """

    layer: str = "core"
    is_guest: bool = False

    @property
    def name(self) -> str:
        """As on the command line and in the results."""
        name = "tutorial" if self.layer == "core" else f"tutorial-{self.layer}"
        return f"{name}-guest" if self.is_guest else name

    @property
    def title(self) -> str:
        """As in the table."""
        server = ", as a guest" if self.is_guest else ""
        return f"Channels tutorial, {LAYERS[self.layer]}{server}"

    def find_obstacle(self) -> str | None:
        """Return None: all of it is always installed."""
        return None

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start Redis, and the server on a free port."""
        env = {
            "DJANGO_SETTINGS_MODULE": f"{SITE}.settings",
            "TUTORIAL_LAYER": self.layer,
            "TUTORIAL_REDIS": f"unix://{start_redis(servers)}",
        }
        address = Address(port=find_free_port())
        if self.is_guest:
            env["PYTHONPATH"] = str(REPO / "app")
            command = [sys.executable, "-m", "channels_realtime.server", "--tcp", f"127.0.0.1:{address.port}"]
        else:
            command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(address.port)]
        process = servers.start("server", [*command, f"{SITE}.asgi:application"], env=env)
        servers.await_listening(address)
        return Target(address, "plain", path=f"/ws/chat/{ROOM}/", listening_pid=process.pid)
