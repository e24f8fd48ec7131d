"""The processes of a local run: how each is started, and in which order they are stopped."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local import site
from deploy.local.checks import program
from deploy.local.layout import REPO, Layout
from deploy.local.watchdog import WatchdogTimes, read_unit_times

STOP_TIMEOUT_SECONDS = 15  # for a service to finish its requests and close its sockets


@dataclass(frozen=True)
class Service:
    """One process.

    Attributes:
        folder: its working directory.
        stop_order: services with a smaller number are stopped first, those with the same one together.
        colour: of its name in the terminal, the number of an ANSI escape sequence.
        socket: the unix socket at which it listens.
        stop_seconds: how long it may take to end after SIGTERM.
        watchdog: how long it may be silent, where it feeds the watchdog (deploy/local/watchdog.py).
    """

    name: str
    command: list[str]
    env: dict[str, str]
    folder: Path
    stop_order: int
    colour: str
    socket: Path | None = None
    stop_seconds: int = STOP_TIMEOUT_SECONDS
    watchdog: WatchdogTimes | None = None


@dataclass(frozen=True)
class Application:
    """The Django project that a run serves.

    Attributes:
        title: its name in the terminal.
        python: the interpreter that has its packages.
        folder: the working directory of its processes.
        env: their environment.
        wsgi: module:attribute of the WSGI application, for gunicorn.
        asgi: module:attribute of the ASGI application, for daphne.
        processes: further programs that run beside the servers.
    """

    title: str
    python: str
    folder: Path
    env: dict[str, str]
    wsgi: str
    asgi: str
    processes: tuple[Service, ...] = ()


def build_services(layout: Layout, application: Application, *, redis: bool) -> list[Service]:
    """Return the services in the order of their start; `redis`: whether this run has a Redis of its own.

    The two daphnes stop first, while nginx still passes their close frames on to the browsers. They feed the
    watchdog. gunicorn does not, here and on a host: its main process replaces a worker that hangs (`timeout` in
    gunicorn.conf.py).
    """
    python, env, folder = application.python, application.env, application.folder
    gunicorn = [python, "-m", "gunicorn", "--config", str(REPO / "deploy" / "gunicorn.conf.py")]
    daphne = [python, "-m", "channels_realtime.server", "--unix"]
    web, ws1, ws2 = (layout.socket(name) for name in ("web", "ws1", "ws2"))
    watchdog = read_unit_times()
    return [
        *([build_redis(layout, env)] if redis else []),
        Service("web", [*gunicorn, "--bind", f"unix:{web}", application.wsgi], env, folder, 1, "32", web),
        Service("ws1", [*daphne, str(ws1), application.asgi], env, folder, 0, "36", ws1, watchdog=watchdog),
        Service("ws2", [*daphne, str(ws2), application.asgi], env, folder, 0, "34", ws2, watchdog=watchdog),
        *application.processes,
        Service("nginx", site.command(layout), env, layout.var, 2, "33"),
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
    return Service("redis", [program("redis-server") or "redis-server", *arguments], env, layout.run, 3, "35", socket)


def end_with_parent(command: list[str]) -> list[str]:
    """Return the command such that the kernel sends the process SIGTERM when its parent is killed."""
    setpriv = shutil.which("setpriv")  # util-linux, on every Debian
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else command
