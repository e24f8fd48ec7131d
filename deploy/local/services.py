"""The processes of a running Parley: how each is started, and in which order they go."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local import site
from deploy.local.checks import program
from deploy.local.layout import REPO, Layout


@dataclass(frozen=True)
class Service:
    """One process. On the way down those with the smallest `leaves` go first, together."""

    name: str
    command: list[str]
    env: dict[str, str]
    leaves: int
    colour: str
    socket: Path | None = None


def services(layout: Layout, env: dict[str, str]) -> list[Service]:
    """In the order of their start. The daphnes leave first: nginx still carries their good-bye to the browsers."""
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(REPO / "deploy" / "gunicorn.conf.py")]
    daphne = [sys.executable, "-m", "realtime.server", "--unix"]
    web, ws1, ws2 = (layout.socket(name) for name in ("web", "ws1", "ws2"))
    return [
        *([redis(layout, env)] if layout.owns_redis(env) else []),
        Service("web", [*gunicorn, "--bind", f"unix:{web}", "config.wsgi:application"], env, 1, "32", web),
        Service("ws1", [*daphne, str(ws1)], env, 0, "36", ws1),
        Service("ws2", [*daphne, str(ws2)], env, 0, "34", ws2),
        Service("nginx", site.command(layout), env, 2, "33"),
    ]


def redis(layout: Layout, env: dict[str, str]) -> Service:
    """No port, no disk: Redis only carries doorbells here. Its talk goes to a file, a start-up is half a page."""
    socket = layout.socket("redis")
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(layout.run),
        "logfile": str(layout.log / "redis.log"),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Service("redis", [program("redis-server") or "redis-server", *words], env, 3, "35", socket)


def tied_to_us(command: list[str]) -> list[str]:
    """The command, sent SIGTERM by the kernel if we are killed without a chance to stop it ourselves."""
    setpriv = shutil.which("setpriv")  # util-linux, on every Debian
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command
