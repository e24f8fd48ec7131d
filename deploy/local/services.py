"""The processes of a local run: how each is started, and in which order they are stopped."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local import site
from deploy.local.checks import program
from deploy.local.layout import REPO, Layout


@dataclass(frozen=True)
class Service:
    """One process. `stop_order`: services with a smaller number are stopped first, those with the same one together."""

    name: str
    command: list[str]
    env: dict[str, str]
    stop_order: int
    colour: str
    socket: Path | None = None


def build_services(layout: Layout, env: dict[str, str]) -> list[Service]:
    """Return the services in the order of their start.

    The two daphnes stop first, while nginx still passes their close frames on to the browsers.
    """
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(REPO / "deploy" / "gunicorn.conf.py")]
    daphne = [sys.executable, "-m", "realtime.server", "--unix"]
    web, ws1, ws2 = (layout.socket(name) for name in ("web", "ws1", "ws2"))
    return [
        *([build_redis(layout, env)] if layout.owns_redis(env) else []),
        Service("web", [*gunicorn, "--bind", f"unix:{web}", "config.wsgi:application"], env, 1, "32", web),
        Service("ws1", [*daphne, str(ws1)], env, 0, "36", ws1),
        Service("ws2", [*daphne, str(ws2)], env, 0, "34", ws2),
        Service("nginx", site.command(layout), env, 2, "33"),
    ]


def build_redis(layout: Layout, env: dict[str, str]) -> Service:
    """Return a Redis without port and without files: it only notifies processes. It logs to a file of its own."""
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
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Service("redis", [program("redis-server") or "redis-server", *arguments], env, 3, "35", socket)


def tied_to_us(command: list[str]) -> list[str]:
    """Return the command such that the kernel sends the process SIGTERM when its parent is killed."""
    setpriv = shutil.which("setpriv")  # util-linux, on every Debian
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command
