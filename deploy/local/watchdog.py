"""The watchdog of a local run: it finds servers that hang, as systemd does on a host.

The times are those of systemd/ws@.service. A watched server sends WATCHDOG=1 from its event loop to the socket
NOTIFY_SOCKET: sd_notify(3), sd_watchdog_enabled(3). Only the main process of a service counts (NotifyAccess=main), from
its first message to STOPPING=1.

Only time in which this process runs itself counts as silence. So a machine that was suspended, or a supervisor that
was stopped, ends no server that goes on afterwards, whatever the clocks say.
"""

import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.layout import REPO

UNIT = REPO / "systemd" / "ws@.service"
LOOK_INTERVAL_SECONDS = 0.5
MAX_COUNTED_SECONDS = (
    2 * LOOK_INTERVAL_SECONDS
)  # of the time between two looks; more means that this process was stopped
CREDENTIALS = struct.Struct("3i")  # process, user and group of the sender: unix(7), struct ucred
MAX_MESSAGE_BYTES = 4096


@dataclass(frozen=True)
class WatchdogTimes:
    """How long a server may be silent, and how long it then has to print its stack, in seconds."""

    silence_seconds: float
    abort_seconds: float


@dataclass(frozen=True)
class Unresponsive:
    """The main process of a service has not fed the watchdog for `seconds`."""

    name: str
    pid: int
    seconds: float


@dataclass
class Watched:
    """A process that is watched. `silence` is None until its first message."""

    name: str
    limit: float
    silence: float | None = None


def read_unit_times(unit: Path = UNIT) -> WatchdogTimes:
    """Return the times of systemd's unit of a WebSocket server, so that a local run has the same."""

    def seconds(setting: str) -> float:
        found = re.search(rf"^{setting}=(\d+)$", unit.read_text(), re.M)
        assert found, f"{unit} has no {setting} in seconds"
        return float(found[1])

    return WatchdogTimes(seconds("WatchdogSec"), seconds("TimeoutAbortSec"))


class Watchdog:
    """Receives the messages of watched processes in a thread of its own, from `start` to `close`.

    Args:
        path: the unix socket at which it listens.
        report: is called once for each process that is silent for too long, which then is no longer watched.
    """

    def __init__(self, path: Path, report: Callable[[Unresponsive], None]) -> None:
        self.path = path
        self._report = report
        self._watched: dict[int, Watched] = {}
        self._is_closed = False

    def start(self) -> None:
        """Listen. Raises OSError where the socket cannot be created."""
        self.path.unlink(missing_ok=True)  # a killed supervisor leaves it
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(self.path))
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._is_closed = True
        self._thread.join()
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def environment(self, times: WatchdogTimes) -> dict[str, str]:
        """Return the variables of a watched process. The last one lets it print its stack at SIGABRT."""
        return {
            "NOTIFY_SOCKET": str(self.path),
            "WATCHDOG_USEC": str(int(times.silence_seconds * 1_000_000)),
            "PYTHONFAULTHANDLER": "1",
        }

    def watch(self, name: str, pid: int, times: WatchdogTimes) -> None:
        """Watch the main process of a service, from its first message on."""
        self._watched[pid] = Watched(name, times.silence_seconds)

    def forget(self, pid: int) -> None:
        """Watch this process no longer."""
        self._watched.pop(pid, None)

    def _watch(self) -> None:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        looked = time.monotonic()
        while not self._is_closed:
            if waiting.poll(LOOK_INTERVAL_SECONDS * 1000):
                self._receive_all()
            now = time.monotonic()
            self._add_silence(min(now - looked, MAX_COUNTED_SECONDS))
            looked = now

    def _receive_all(self) -> None:
        """Handle every message that has arrived."""
        while True:
            try:
                text, ancillary, _, _ = self._socket.recvmsg(
                    MAX_MESSAGE_BYTES, socket.CMSG_SPACE(CREDENTIALS.size), socket.MSG_DONTWAIT
                )
            except BlockingIOError:
                return
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    pid, _, _ = CREDENTIALS.unpack(content)
                    self._on_message(pid, text.split(b"\n"))

    def _on_message(self, pid: int, assignments: list[bytes]) -> None:
        if b"STOPPING=1" in assignments:
            self.forget(pid)
        elif watched := self._watched.get(pid):
            watched.silence = 0.0

    def _add_silence(self, seconds: float) -> None:
        """Count so many seconds for each process that has sent a message before."""
        for pid, watched in list(self._watched.items()):
            if watched.silence is None:
                continue
            watched.silence += seconds
            if watched.silence > watched.limit:
                self.forget(pid)
                self._report(Unresponsive(watched.name, pid, watched.limit))
