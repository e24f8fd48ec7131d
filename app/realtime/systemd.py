"""The few words that systemd and a service of Type=notify exchange (sd_notify(3)). Without systemd: silence."""

import os
import socket


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
