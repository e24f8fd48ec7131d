"""The version of everything that takes part."""

import json
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from loadtest.bench import cores, install
from loadtest.bench.contenders.socket_io import HERE

PACKAGES = ("Django", "channels", "channels-redis", "daphne", "Twisted", "redis", "uvicorn", "uvloop", "websockets")
PROGRAMS = {
    "nginx": ["nginx", "-v"],
    "Redis": ["redis-server", "--version"],
    "Node.js": ["node", "--version"],
    "nats-server": ["nats-server", "--version"],
}


def of_everything() -> dict[str, str]:
    """Name to version; what is not installed is left out. Of the machine: the kernel and the number of cores."""
    found = {"cores": str(len(cores.ALL)), "kernel": platform.release(), "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    for name, command in PROGRAMS.items():
        if said := _output(command):
            found[name] = said
    if nchan := _debian("libnginx-mod-nchan"):
        found["nchan"] = nchan
    place = install.npm(HERE)
    if isinstance(place, Path):
        for package in ("socket.io", "@socket.io/redis-adapter"):
            found[package] = json.loads((place / "node_modules" / package / "package.json").read_text())["version"]
    return found


def _output(command: list[str]) -> str:
    """The first number with dots in what the program says of itself."""
    if not (program := install.program(command[0])):
        return ""
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return match.group() if match else ""


def _debian(package: str) -> str:
    if not (program := install.program("dpkg-query")):
        return ""
    command = [program, "--show", "--showformat=${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
