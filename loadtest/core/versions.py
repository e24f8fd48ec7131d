"""The versions of the software that took part in a run, and the machine it ran on."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict


class Machine(TypedDict):
    """The machine on which the front end ran."""

    cores: int
    kernel: str


def describe_machine() -> Machine:
    """Return the number of cores, and the version of the kernel."""
    return Machine(cores=os.cpu_count() or 0, kernel=platform.release())


def python_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of these packages by name; a package that is not installed is left out."""
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def program_version(command: list[str]) -> str:
    """Return the first number with dots that a command prints; empty if it prints none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return match.group() if match else ""
