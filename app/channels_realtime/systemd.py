"""What systemd and a service of Type=notify exchange: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3)."""

import os
import socket
from contextlib import suppress

FIRST_DESCRIPTOR = 3  # of the files that systemd passes: SD_LISTEN_FDS_START


def notify(*assignments: str) -> None:
    """Send assignments such as "READY=1" to systemd, or to what starts the process in its place.

    Does nothing when nobody asked for them (NOTIFY_SOCKET), or when nobody listens any more.
    """
    _send("\n".join(assignments), 0)


def feed_watchdog() -> None:
    """Send WATCHDOG=1 without waiting: where the queue of the socket is full, the receiver has messages enough."""
    with suppress(BlockingIOError):
        _send("WATCHDOG=1", socket.MSG_DONTWAIT)


def _send(text: str, flags: int) -> None:
    if address := os.environ.get("NOTIFY_SOCKET"):
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection,
            suppress(ConnectionRefusedError, FileNotFoundError),
        ):
            connection.connect("\0" + address[1:] if address.startswith("@") else address)
            connection.sendall(text.encode(), flags)


def watchdog_seconds() -> float | None:
    """Return how long systemd waits for WATCHDOG=1 before it restarts the process, or None if it does not wait."""
    is_for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    return microseconds / 1_000_000 if is_for_us and microseconds else None


def inherited_sockets() -> tuple[range, dict[str, str]]:
    """Return the descriptors that systemd passed, and the variables that tell another process of ours about them.

    deploy/run-in-release adds the id of that process. Twisted has read, and removed, the variables of this process.
    """
    count = len(os.environ["LISTEN_FDNAMES"].split(":"))
    return range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count), {"LISTEN_FDS": str(count)}
