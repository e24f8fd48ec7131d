"""Everything that can be known to be wrong before anything is started, each as one sentence."""

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.layout import REPO, SOCKETS, Layout

# On Debian a normal user's PATH lacks the folders where servers are installed.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
PACKAGES = ("nginx", "redis-server")  # each is named like its program
LONGEST_SOCKET_PATH = 107  # bytes; the kernel's sun_path is 108 with its closing NUL

# Logging too: a wrong LOG_LEVEL is noticed nowhere else before the servers start.
READ_SETTINGS = """
import json, logging.config, sys
try:
    from config import settings
    logging.config.dictConfig(settings.LOGGING)
except Exception as wrong:
    sys.exit(" ".join(str(wrong.__cause__ or wrong).split()) or type(wrong).__name__)
print(json.dumps({"static_root": str(settings.STATIC_ROOT), "hosts": list(settings.ALLOWED_HOSTS)}))
"""


@dataclass(frozen=True)
class Settings:
    """What this side needs to know of Django's settings."""

    static_root: Path
    host: str
    """A name under which the site answers; localhost unless ALLOWED_HOSTS forbids it."""


def program(name: str) -> str | None:
    """The full path of a program, or None when it is not installed."""
    return shutil.which(name, path=PROGRAM_PATH)


def run(layout: Layout, env: dict[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings and all problems; the settings mean nothing when there is a problem."""
    settings, wrong = read_settings(env)
    return settings, [*packages(layout, env), *folders(layout), *ports(layout), *wrong]


def packages(layout: Layout, env: dict[str, str]) -> list[str]:
    wanted = [name for name in PACKAGES if name != "redis-server" or layout.owns_redis(env)]
    missing = [name for name in wanted if not program(name)]
    return (
        [f"not installed: {', '.join(missing)}. Type: sudo apt-get install -y {' '.join(missing)}"] if missing else []
    )


def folders(layout: Layout) -> list[str]:
    problems = []
    if not re.fullmatch(r"[\w./@+ -]+", f"{layout.var}{REPO}"):
        problems.append(f"nginx cannot be told of a folder with such characters: {layout.var} (and {REPO})")
    longest = max((len(os.fsencode(layout.socket(name))) for name in SOCKETS), default=0)
    if longest > LONGEST_SOCKET_PATH:
        too_long = longest - LONGEST_SOCKET_PATH
        problems.append(
            f"the path {layout.var} is {too_long} bytes too long for unix sockets: set PARLEY_VAR to a shorter one."
        )
    existing = next(folder for folder in (layout.var, *layout.var.parents) if folder.exists())
    mine = [existing] + [folder for folder in (layout.run, layout.tls, layout.log, layout.nginx) if folder.exists()]
    for folder in mine:
        if not os.access(folder, os.W_OK | os.X_OK):
            problems.append(f"you may not write into {folder}: it belongs to {folder.owner()}.")
            break
    return problems


def ports(layout: Layout) -> list[str]:
    problems = []
    for variable, port in (("PARLEY_HTTPS_PORT", layout.https_port), ("PARLEY_HTTP_PORT", layout.http_port)):
        for family, address in addresses_to_listen_on():
            try:
                with socket.socket(family, socket.SOCK_STREAM) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as nginx does: no TIME_WAIT
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((address, port))
                    probe.listen()
            except PermissionError:
                problems.append(f"port {port} needs root: choose another, for example {variable}=8443.")
                break
            except OSError:
                problems.append(f"port {port} is in use: stop what listens there, or choose another with {variable}=…")
                break
    return problems


def addresses_to_listen_on() -> list[tuple[socket.AddressFamily, str]]:
    """IPv4, and IPv6 where the kernel has it: nginx would not start with a family that is switched off."""
    found = [(socket.AF_INET, "0.0.0.0")]  # phones on the same network are welcome
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
        found.append((socket.AF_INET6, "::"))
    except OSError:
        pass
    return found


def read_settings(env: dict[str, str]) -> tuple[Settings, list[str]]:
    """Import Django's settings in a process of its own, so that a mistake there is a sentence here."""
    # The first run has no key yet; it is written only when all else is well.
    env = {"SECRET_KEY": "x" * 64} | env
    answer = subprocess.run(
        [sys.executable, "-c", READ_SETTINGS], cwd=REPO / "app", env=env, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["the settings cannot be read."])[-1]
        return Settings(static_root=Path(), host=""), [last]
    found = json.loads(answer.stdout.splitlines()[-1])
    hosts = [name.lstrip(".") for name in found["hosts"]]
    host = "localhost" if not hosts or {"*", "localhost"} & set(hosts) else hosts[0]
    return Settings(static_root=Path(found["static_root"]), host=host), []


@contextmanager
def sole_user_of(layout: Layout) -> Iterator[bool]:
    """Two runs in one folder would take each other's sockets; the kernel drops the lock whatever happens to us."""
    with open(layout.run / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
