"""Bare machines that are reached by ssh, from an Ansible inventory in ini format."""

import configparser
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Host:
    """A machine with python3 and a user who may use sudo; in the group `as_root` commands run as root."""

    name: str
    ssh: tuple[str, ...]
    groups: frozenset[str]
    variables: dict[str, str]

    @property
    def as_root(self) -> bool:
        return "as_root" in self.groups

    def run(self, command: str, *, stdin: bytes | None = None, seconds: float = 300) -> str:
        """Run it in the host's shell and return what it prints. Raises CalledProcessError, with the output in it."""
        done = subprocess.run(
            [*self.ssh, command],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{self.name}: {command}: exit code {done.returncode}\n{output}"
        return output

    def reboot(self, *, seconds: float = 120) -> None:
        """Reboot the machine and return when ssh answers again."""
        boot_id = [*self.ssh, "cat /proc/sys/kernel/random/boot_id"]
        before = subprocess.run(boot_id, capture_output=True, check=True).stdout
        subprocess.run([*self.ssh, "sudo systemctl reboot"], capture_output=True, check=False)
        deadline = time.monotonic() + seconds
        while (now := subprocess.run(boot_id, capture_output=True, check=False)).returncode or now.stdout == before:
            assert time.monotonic() < deadline, f"{self.name} did not reboot within {seconds} s"
            time.sleep(0.5)

    def terminal(self, command: str) -> "Terminal":
        """Run a command in a terminal, which can send Ctrl-C."""
        return Terminal([*self.ssh[:1], "-tt", *self.ssh[1:], command])


class Terminal:
    """A command in a terminal; `shown` is its output so far."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.shown = ""

    def until(self, seen: Callable[[str], bool]) -> None:
        """Read until `seen` returns True for a line. Fail with the output when the command ends before."""
        assert self.process.stdout
        for raw in self.process.stdout:
            line = raw.decode(errors="replace")
            self.shown += line
            if seen(line):
                return
        raise AssertionError(f"the command ended with exit code {self.process.wait()}:\n{self.shown}")

    def press_ctrl_c(self) -> None:
        """Send Ctrl-C."""
        assert self.process.stdin
        self.process.stdin.write(b"\x03")
        self.process.stdin.flush()

    def end(self) -> int:
        """Read the rest of the output and return the exit code."""
        rest, _ = self.process.communicate(timeout=60)
        self.shown += rest.decode(errors="replace")
        return self.process.returncode


def in_inventory(path: Path) -> list[Host]:
    """Return all hosts of the inventory, each with the ssh command of its variables."""
    parser = configparser.RawConfigParser(allow_no_value=True, delimiters=("\0",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    shared: dict[str, str] = {}
    groups: dict[str, set[str]] = {}
    own: dict[str, dict[str, str]] = {}
    for section in parser.sections():
        for line in parser[section]:
            parts = shlex.split(line)
            if section.endswith(":vars"):
                name, _, value = " ".join(parts).partition("=")
                shared[name.strip()] = value.strip()
            elif not section.endswith(":children"):
                groups.setdefault(parts[0], set()).add(section)
                own.setdefault(parts[0], {}).update(part.split("=", 1) for part in parts[1:])
    return [
        Host(name, ssh_command(name, shared | variables), frozenset(groups[name]), shared | variables)
        for name, variables in own.items()
    ]


def ssh_command(name: str, variables: dict[str, str]) -> tuple[str, ...]:
    """Return the ssh command for a host with these inventory variables."""
    command = ["ssh", *shlex.split(variables.get("ansible_ssh_common_args", ""))]
    command += ["-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    if key := variables.get("ansible_ssh_private_key_file"):
        command += ["-i", key]
    if user := variables.get("ansible_user"):
        command += ["-l", user]
    if port := variables.get("ansible_port"):
        command += ["-p", port]
    return (*command, variables.get("ansible_host", name))
