"""The versions of everything that takes part in the benchmark."""

import json
import subprocess
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.contenders.socket_io import HERE
from loadtest.core.versions import describe_machine, program_version, python_versions

PACKAGES = ("Django", "channels", "channels-redis", "daphne", "Twisted", "redis", "uvicorn", "uvloop", "websockets")
PROGRAMS = {
    "nginx": ["nginx", "-v"],
    "Redis": ["redis-server", "--version"],
    "Node.js": ["node", "--version"],
    "nats-server": ["nats-server", "--version"],
}
NPM_PACKAGES = ("socket.io", "@socket.io/redis-adapter")


def find_versions() -> dict[str, str]:
    """Return versions by name, and the machine's kernel and number of cores; what is not installed is left out."""
    machine = describe_machine()
    found = {"cores": str(machine["cores"]), "kernel": machine["kernel"], **python_versions(PACKAGES)}
    for name, command in PROGRAMS.items():
        if (program := install.find_program(command[0])) and (version := program_version([program, *command[1:]])):
            found[name] = version
    if nchan := _debian_version("libnginx-mod-nchan"):
        found["nchan"] = nchan
    place = install.install_npm_packages(HERE)
    if isinstance(place, Path):
        for package in NPM_PACKAGES:
            found[package] = json.loads((place / "node_modules" / package / "package.json").read_text())["version"]
    return found


def _debian_version(package: str) -> str:
    if not (program := install.find_program("dpkg-query")):
        return ""
    command = [program, "--show", "--showformat=${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
