"""This machine as a host of servers under test: environment, ports, limits, the end of a process."""

import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from loadtest.core.program import OURS

REPO = Path(__file__).resolve().parent.parent.parent
SITE_VARIABLES = {
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "LOG_LEVEL",
    "ALLOWED_HOSTS",
    "ASGI_SERVER",
    "DEBUG",
    "DOMAIN",
    "HTTPS_PORT",
    "HTTP_PORT",
}


def clean_environment() -> dict[str, str]:
    """Return our environment without what would configure a server, and with this Python's programs first in PATH."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "STACK_", "PYTEST", f"{OURS.upper()}_")) and name not in SITE_VARIABLES
    }
    return {**ours, "PATH": f"{Path(sys.executable).parent}:{ours.get('PATH', os.defpath)}:/usr/sbin:/sbin"}


def find_free_port() -> int:
    """Return a TCP port of the loopback interface that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def raise_file_limit() -> int:
    """Raise the limit on open files, of this process and its future children, to what is allowed; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def stop_process(process: subprocess.Popen[bytes], timeout: float) -> None:
    """Send SIGTERM, wait at most `timeout` seconds, and kill what is left of the process's session."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
    with suppress(ProcessLookupError):  # workers whose master has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
