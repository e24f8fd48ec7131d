"""The process that comes after this one: it listens in the same place before this one leaves, so no client waits
for a start.

SIGHUP: we start it, from the release that serves by now, with the sockets that systemd gave us. Once it is ready it
sends us SIGTERM; then it is the unit's main process, and we take no more clients and drain. One that fails is ended,
and we go on as if nothing had been asked.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys

from realtime import shutdown
from realtime.systemd import inheritance, notify

logger = logging.getLogger(__name__)

PATIENCE = 25  # seconds that a successor may take to get ready; deploy/release.py waits a little longer
PREDECESSOR = "PREDECESSOR"  # the variable that tells a successor whom it follows
# The shell ends at once: a main process has to be systemd's own child.
DETACHED = ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh"]


class Successor:
    """At most one at a time."""

    pid = 0  # while one is on its way
    _pidfd: int
    _deadline: asyncio.TimerHandle

    def start(self) -> None:
        """Start it, unless one is on its way or we leave already."""
        if self.pid or shutdown.draining.is_set():
            return
        sockets, environment = inheritance()
        environment = {**os.environ, **environment, PREDECESSOR: str(os.getpid())}
        # STARTED_BY: deploy/in-release, by a path that leads to the release that serves.
        command = [*DETACHED, os.environ["STARTED_BY"], "realtime.server", *sys.argv[1:]]
        said = subprocess.run(command, env=environment, pass_fds=sockets, stdout=subprocess.PIPE, check=True)  # noqa: S603
        pid = int(said.stdout)
        logger.info("Process %d is to take over", pid)
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            failed(pid)
            return
        self.pid = pid
        loop = asyncio.get_event_loop()
        loop.add_reader(self._pidfd, self._ended)
        self._deadline = loop.call_later(PATIENCE, signal.pidfd_send_signal, self._pidfd, signal.SIGKILL)

    def _ended(self) -> None:
        failed(self.pid)
        self._look_away()

    def take_over(self) -> bool:
        """At SIGTERM: whether a successor is there to have sent it. Then it is the unit's main process."""
        if not self.pid:
            return False
        notify(f"MAINPID={self.pid}")
        os.environ.pop("NOTIFY_SOCKET", None)  # from now on systemd listens to the successor
        self._look_away()
        return True

    def _look_away(self) -> None:
        self.pid = 0
        self._deadline.cancel()
        asyncio.get_event_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)


def failed(pid: int) -> None:
    why = f"Process {pid} was to take over and ended before it was ready"
    logger.error(why)
    notify(f"STATUS={why}")  # deploy/release.py sees that it changed


def follow() -> bool:
    """Once ready: ask our predecessor to leave, if there is one. Returns whether there is."""
    predecessor = os.environ.pop(PREDECESSOR, None)
    if predecessor:
        os.kill(int(predecessor), signal.SIGTERM)
    return predecessor is not None
