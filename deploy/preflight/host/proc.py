"""Reads the kernel's files about processes, sockets and mounts."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"  # TCP_LISTEN of the kernel, as /proc/net/tcp prints it


@dataclass(frozen=True)
class Listener:
    """A TCP socket that listens."""

    address: str
    port: int
    program: str
    """The name of the process; "" where it is not known."""
    pid: int
    """0 where it is not known."""
    unit: str
    """The systemd unit of the process; "" where it has none."""

    def __str__(self) -> str:
        if not self.pid:
            return "a program that this user may not see"
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.program} (pid {self.pid}{unit})"


def list_listeners(proc: Path = PROC) -> list[Listener]:
    """Return every TCP socket of this network namespace that listens; as root, with its process."""
    owners: dict[str, int] | None = None
    found = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue  # no IPv6
        for fields in (line.split() for line in lines):
            if fields[3] != LISTENING:
                continue
            owners = find_socket_owners(proc) if owners is None else owners
            address, _, port = fields[1].rpartition(":")
            pid = owners.get(fields[9], 0)
            program = read_line(proc / str(pid) / "comm") if pid else ""
            found.append(Listener(decode_address(address), int(port, 16), program, pid, find_unit(proc, pid)))
    return found


def find_socket_owners(proc: Path = PROC) -> dict[str, int]:
    """Return the pid of each socket's inode; of several processes the one with the smallest pid, the parent."""
    owners: dict[str, int] = {}
    for pid in sorted(int(path.name) for path in proc.iterdir() if path.name.isdigit()):
        with suppress(OSError):
            for entry in os.scandir(proc / str(pid) / "fd"):
                with suppress(OSError):
                    target = os.readlink(entry.path)
                    if target.startswith("socket:["):
                        owners.setdefault(target[8:-1], pid)
    return owners


def find_unit(proc: Path, pid: int) -> str:
    """Return the systemd unit of a process, such as apache2.service; "" where it has none."""
    for line in read_text(proc / str(pid) / "cgroup").splitlines() if pid else []:
        for part in reversed(line.split("/")):
            if part.endswith((".service", ".scope", ".socket")):
                return part
    return ""


def decode_address(text: str) -> str:
    """Return an address as people write it, from the hexadecimal words of /proc/net/tcp and tcp6."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    raw = b"".join(struct.pack("=I", word) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def list_mounts(proc: Path = PROC) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the folder and the options of each mount, in the order in which they were made."""
    for fields in (line.split() for line in read_text(proc / "self" / "mounts").splitlines()):
        yield fields[1].replace("\\040", " "), frozenset(fields[3].split(","))


def find_mount(path: Path, proc: Path = PROC) -> tuple[str, frozenset[str]]:
    """Return the mount that a path lies on, which need not exist yet."""
    best: tuple[str, frozenset[str]] = ("/", frozenset())
    for folder, options in list_mounts(proc):
        if (path == Path(folder) or Path(folder) in path.parents) and len(folder) >= len(best[0]):
            best = (folder, options)
    return best


def read_text(path: Path) -> str:
    """Return a file's text, or "" where it cannot be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def read_line(path: Path) -> str:
    """Return the first line of a file without its end, or "" where it cannot be read."""
    return (read_text(path).splitlines() or [""])[0]
