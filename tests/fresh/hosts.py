"""Bare machines, reached by ssh, taken from an Ansible inventory in ini form."""

import configparser
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Host:
    """A machine with python3 and a user who may use sudo; in the group `as_root` it is root who types."""

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
        """Return when ssh answers again after the start."""
        look = [*self.ssh, "cat /proc/sys/kernel/random/boot_id"]
        before = subprocess.run(look, capture_output=True, check=True).stdout
        subprocess.run([*self.ssh, "sudo systemctl reboot"], capture_output=True, check=False)
        deadline = time.monotonic() + seconds
        while (now := subprocess.run(look, capture_output=True, check=False)).returncode or now.stdout == before:
            assert time.monotonic() < deadline, f"{self.name} is not back after {seconds} s"
            time.sleep(0.5)

    def terminal(self, command: str) -> "Terminal":
        """Run it with a terminal, where Ctrl-C can be typed."""
        return Terminal([*self.ssh[:1], "-tt", *self.ssh[1:], command])


class Terminal:
    """Someone at a keyboard."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.shown = ""

    def until(self, seen: Callable[[str], bool]) -> None:
        """Read until a line is the one; fail with all that was shown when the command ends before."""
        assert self.process.stdout
        for raw in self.process.stdout:
            line = raw.decode(errors="replace")
            self.shown += line
            if seen(line):
                return
        raise AssertionError(f"it ended with exit code {self.process.wait()}:\n{self.shown}")

    def press_ctrl_c(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"\x03")
        self.process.stdin.flush()

    def end(self) -> int:
        """Read what is left; return the exit code."""
        rest, _ = self.process.communicate(timeout=60)
        self.shown += rest.decode(errors="replace")
        return self.process.returncode


def in_inventory(path: Path) -> list[Host]:
    """All hosts of the inventory, with the ssh command that its variables describe."""
    parser = configparser.RawConfigParser(allow_no_value=True, delimiters=("\0",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    shared: dict[str, str] = {}
    groups: dict[str, set[str]] = {}
    own: dict[str, dict[str, str]] = {}
    for section in parser.sections():
        for line in parser[section]:
            words = shlex.split(line)
            if section.endswith(":vars"):
                name, _, value = " ".join(words).partition("=")
                shared[name.strip()] = value.strip()
            elif not section.endswith(":children"):
                groups.setdefault(words[0], set()).add(section)
                own.setdefault(words[0], {}).update(word.split("=", 1) for word in words[1:])
    return [
        Host(name, ssh_command(name, shared | variables), frozenset(groups[name]), shared | variables)
        for name, variables in own.items()
    ]


def ssh_command(name: str, variables: dict[str, str]) -> tuple[str, ...]:
    command = ["ssh", *shlex.split(variables.get("ansible_ssh_common_args", ""))]
    command += ["-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    if key := variables.get("ansible_ssh_private_key_file"):
        command += ["-i", key]
    if user := variables.get("ansible_user"):
        command += ["-l", user]
    if port := variables.get("ansible_port"):
        command += ["-p", port]
    return (*command, variables.get("ansible_host", name))
