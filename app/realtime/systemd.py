"""The few words that systemd and a service of Type=notify exchange (sd_notify(3)). Without systemd: silence."""

import os
import socket
from typing import Any

from twisted.internet import endpoints, unix

FIRST = 3  # the number of the first file that systemd passes, SD_LISTEN_FDS_START


def notify(*words: str) -> None:
    """Tell systemd, for example "READY=1"."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.connect("\0" + address[1:] if address.startswith("@") else address)
            line.sendall("\n".join(words).encode())


def watchdog_seconds() -> float | None:
    """How long systemd waits for WATCHDOG=1 before it restarts us; None when it does not."""
    for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    return microseconds / 1_000_000 if for_us and microseconds else None


def leave_sockets_alone(*, backlog: int) -> None:
    """Take systemd's sockets as they are. Twisted would open them to everybody, let 50 clients wait, and at the end
    shut them and remove the name, so that nobody reached the process that comes next. And it would close the numbers
    by which a successor is to inherit them."""
    twisted_port: Any = unix.Port
    adopt = twisted_port._fromListeningDescriptor.__func__  # noqa: SLF001  there is no other way in

    def adopted(cls: Any, *arguments: Any) -> Any:
        port = adopt(cls, *arguments)
        port.backlog = backlog
        port._shouldShutdown = False  # noqa: SLF001  it would close the queue for every process that has it
        port._bindPath = b"\0systemd"  # noqa: SLF001  a name without a file: nothing to change or remove
        return port

    twisted_port._fromListeningDescriptor = classmethod(adopted)  # noqa: SLF001
    adopting: Any = endpoints.AdoptedStreamServerEndpoint
    adopting._close = staticmethod(lambda _: None)  # noqa: SLF001


def inheritance() -> tuple[range, dict[str, str]]:
    """The files that systemd passed, and the variables that tell another process of ours about them; deploy/in-release
    adds that process's id. Twisted has read, and removed, our own."""
    count = len(os.environ["LISTEN_FDNAMES"].split(":"))
    return range(FIRST, FIRST + count), {"LISTEN_FDS": str(count)}
