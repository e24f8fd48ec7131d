"""Checks before anything is started. Each problem is one sentence, and all problems are found at once."""

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
from deploy.program import PROGRAM, rename_former

# On Debian a normal user's PATH lacks the folders where servers are installed.
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
PACKAGES = ("nginx", "redis-server")  # each has the name of its program
MAX_SOCKET_PATH_BYTES = 107  # the kernel's sun_path has 108 with the closing NUL

# It configures the logging, too: no other check would find a wrong LOG_LEVEL before the servers start.
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
    """The Django settings that the supervisor needs."""

    static_root: Path
    host: str
    """A name under which the site answers; localhost unless ALLOWED_HOSTS forbids it."""


def program(name: str) -> str | None:
    """Return the full path of a program, or None when it is not installed."""
    return shutil.which(name, path=PROGRAM_PATH)


def run_checks(layout: Layout, env: dict[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings and all problems. Where there is a problem, the settings must not be used."""
    settings, problems = read_settings(env)
    return settings, [*check_packages(layout, env), *check_folders(layout), *check_ports(layout), *problems]


def check_packages(layout: Layout, env: dict[str, str]) -> list[str]:
    """Return one sentence with the command that installs all missing packages, or nothing."""
    wanted = [name for name in PACKAGES if name != "redis-server" or layout.owns_redis(env)]
    missing = [name for name in wanted if not program(name)]
    return (
        [f"not installed: {', '.join(missing)}. Type: sudo apt-get install -y {' '.join(missing)}"] if missing else []
    )


def check_folders(layout: Layout) -> list[str]:
    """Return a sentence for each problem with the path of `layout.var` or with its permissions."""
    problems = []
    if not re.fullmatch(r"[\w./@+ -]+", f"{layout.var}{REPO}"):
        problems.append(f"nginx cannot use a folder with such characters: {layout.var} (and {REPO})")
    longest = max((len(os.fsencode(layout.socket(name))) for name in SOCKETS), default=0)
    if longest > MAX_SOCKET_PATH_BYTES:
        excess = longest - MAX_SOCKET_PATH_BYTES
        problems.append(
            f"the path {layout.var} is {excess} bytes too long for unix sockets: set STACK_VAR to a shorter one."
        )
    existing = next(folder for folder in (layout.var, *layout.var.parents) if folder.exists())
    used = [existing] + [folder for folder in (layout.run, layout.tls, layout.log, layout.nginx) if folder.exists()]
    for folder in used:
        if not os.access(folder, os.W_OK | os.X_OK):
            problems.append(f"you may not write into {folder}: it belongs to {folder.owner()}.")
            break
    return problems


def check_ports(layout: Layout) -> list[str]:
    """Return a sentence for each of the two ports that cannot be used, with the variable that changes it."""
    problems = []
    for variable, port in (("HTTPS_PORT", layout.https_port), ("HTTP_PORT", layout.http_port)):
        match try_port(port):
            case PermissionError():
                problems.append(f"port {port} needs root: choose another, for example {variable}=8443.")
            case OSError():
                user = find_listener(port)
                problems.append(f"port {port} is in use by {user}; stop it, or set {variable} to another port.")
    return problems


def try_port(port: int) -> OSError | None:
    """Listen at a TCP port for a moment, as nginx would. Return why that is not possible, or None."""
    for family, address in addresses_to_listen_on():
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as nginx does: ignore TIME_WAIT
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
                probe.listen()
        except OSError as error:
            return error
    return None


def is_in_use(port: int) -> bool:
    """Return whether another program uses this port, with IPv4 or IPv6. A port that needs root is not in use."""
    error = try_port(port)
    return error is not None and not isinstance(error, PermissionError)


def find_listener(port: int) -> str:
    """Return the program that listens at this TCP port, such as "nginx (pid 412)", as far as this user may see it."""
    ss = program("ss")
    command = [ss or "ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes", f"sport = :{port}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout if ss else ""
    found = re.search(r'\(\("([^"]+)",pid=(\d+)', shown)
    return f"{found[1]} (pid {found[2]})" if found else "another program"


def addresses_to_listen_on() -> list[tuple[socket.AddressFamily, str]]:
    """Return IPv4, and IPv6 where the kernel has it: nginx does not start with a family that is switched off."""
    found = [(socket.AF_INET, "0.0.0.0")]  # so that phones in the same network can connect
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
        found.append((socket.AF_INET6, "::"))
    except OSError:
        pass
    return found


def read_settings(env: dict[str, str]) -> tuple[Settings, list[str]]:
    """Import Django's settings in a process of its own, so that an error in them becomes one sentence here."""
    # The first run has no key yet; it is written when all checks have passed.
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
def lock_folder(layout: Layout) -> Iterator[bool]:
    """Hold the lock of `layout.var`; the value is False when another run holds it.

    Two runs in one folder would take each other's sockets. The kernel releases the lock however this process ends.
    """
    with open(layout.run / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def report_former_names() -> None:
    """Accept the former names of variables, and print the new ones."""
    refuse(list(rename_former(os.environ)))


def refuse(problems: list[str]) -> int:
    """Print the problems, one a line, and return the exit code."""
    for problem in problems:
        print(f"{PROGRAM}: {problem}", file=sys.stderr)
    return 1
