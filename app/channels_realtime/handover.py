"""The handover from this process to its successor, which listens on the same sockets before this one drains.

SIGHUP makes this process start its successor, from the release that is current by then, with the sockets that systemd
passed. When the successor is ready it sends SIGTERM to this process, which makes it the main process of the unit, takes
no more clients, and drains. A successor that fails is ended, and this process goes on.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys

from . import shutdown
from .systemd import inherited_sockets, notify

logger = logging.getLogger(__name__)

READY_TIMEOUT_SECONDS = 25  # for a successor; deploy/processes.py waits a little longer
PREDECESSOR_VARIABLE = "PREDECESSOR"  # tells a successor the process id of its predecessor
# The shell ends at once, so that systemd becomes the parent: the main process of a unit has to be systemd's own child.
DETACHED = ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh"]
# systemd addresses its sockets and its watchdog to one process id, which `exec` keeps.
ADDRESSED = ["/bin/sh", "-c", 'LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$@"', "sh"]


class Handover:
    """Starts at most one successor at a time."""

    successor_pid = 0  # 0 while there is none
    _pidfd: int
    _deadline: asyncio.TimerHandle

    def start_successor(self) -> None:
        """Start a successor, unless one is starting already or this process drains."""
        if self.successor_pid or shutdown.draining.is_set():
            return
        descriptors, variables = inherited_sockets()
        environment = {**os.environ, **variables, PREDECESSOR_VARIABLE: str(os.getpid())}
        # STARTED_BY is deploy/run-in-release, by a path that leads to the release that is current now. It knows the
        # server by the name "realtime.server" in every release.
        if starter := os.environ.get("STARTED_BY"):
            server = [starter, "realtime.server"]
        else:
            server = [*ADDRESSED, sys.executable, "-m", "channels_realtime.server"]
        command = [*DETACHED, *server, *sys.argv[1:]]
        shell = subprocess.run(command, env=environment, pass_fds=descriptors, stdout=subprocess.PIPE, check=True)  # noqa: S603
        pid = int(shell.stdout)
        logger.info("Started process %d as successor", pid)
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            report_failure(pid)
            return
        self.successor_pid = pid
        loop = asyncio.get_event_loop()
        loop.add_reader(self._pidfd, self._on_successor_exit)
        self._deadline = loop.call_later(READY_TIMEOUT_SECONDS, signal.pidfd_send_signal, self._pidfd, signal.SIGKILL)

    def _on_successor_exit(self) -> None:
        report_failure(self.successor_pid)
        self._cleanup()

    def complete(self) -> bool:
        """Make the successor the unit's main process, if there is one. Called at SIGTERM.

        Returns:
            Whether there is a successor: then it was the sender of SIGTERM.
        """
        if not self.successor_pid:
            return False
        notify(f"MAINPID={self.successor_pid}")
        os.environ.pop("NOTIFY_SOCKET", None)  # from now on systemd listens to the successor
        self._cleanup()
        return True

    def _cleanup(self) -> None:
        self.successor_pid = 0
        self._deadline.cancel()
        asyncio.get_event_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)


def report_failure(pid: int) -> None:
    """Log that a successor ended before it was ready, and tell systemd: deploy/processes.py sees the status change."""
    reason = f"Process {pid} was started as successor and ended before it was ready"
    logger.error(reason)
    notify(f"STATUS={reason}")


def signal_predecessor() -> bool:
    """Ask the predecessor to drain, if there is one. Called when this process is ready.

    Returns:
        Whether there is a predecessor.
    """
    predecessor = os.environ.pop(PREDECESSOR_VARIABLE, None)
    if predecessor:
        os.kill(int(predecessor), signal.SIGTERM)
    return predecessor is not None
