"""The Channels tutorial's chat on stock daphne, with either of channels-redis' layers."""

import sys
from dataclasses import dataclass

from loadtest.bench.client.dialects import ROOM
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import Programs, free_port, redis

SITE = "loadtest.bench.contenders.tutorial"


@dataclass(frozen=True)
class Tutorial:
    layer: str = "core"

    @property
    def name(self) -> str:
        return "tutorial" if self.layer == "core" else "tutorial-pubsub"

    @property
    def title(self) -> str:
        return f"Channels tutorial, {'core' if self.layer == 'core' else 'pub/sub'} layer"

    def missing(self) -> str | None:
        return None

    def start(self, programs: Programs, members: int) -> Target:
        env = {
            "DJANGO_SETTINGS_MODULE": f"{SITE}.settings",
            "TUTORIAL_LAYER": self.layer,
            "TUTORIAL_REDIS": f"unix://{redis(programs)}",
        }
        address = Address(port=free_port())
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(address.port)]
        process = programs.start("server", [*command, f"{SITE}.asgi:application"], env=env)
        programs.await_listening(address)
        return Target(address, "bare", path=f"/ws/chat/{ROOM}/", listening_pid=process.pid)
