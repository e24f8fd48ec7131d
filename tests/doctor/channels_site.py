"""Starts a Channels site other than Parley under the real daphne, and a Redis for it."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.doctor.edited_nginx import Edits
from tests.running import REPO


def wait_until_listening(path: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the process accepts connections on this unix socket."""
    deadline = time.monotonic() + 20
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        threading.Event().wait(0.02)


class UnixServer:
    """A process that listens on a unix socket."""

    def __init__(self, folder: Path, name: str, command: list[str], **environment: str) -> None:
        """Start the command, to which the path of the socket is appended, and wait until it listens."""
        self.socket, self.log = folder / f"{name}.sock", folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(self.socket)],
                cwd=REPO,
                env=os.environ | {"PYTHONPATH": f"{REPO}:{REPO / 'app'}"} | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until_listening(self.socket, self.process, self.log)

    def stop(self) -> None:
        """End the process and wait for it."""
        self.process.kill()
        self.process.wait()


class RedisServer(UnixServer):
    """A Redis with these options."""

    def __init__(self, folder: Path, *options: str) -> None:
        fixed = ["redis-server", "--port", "0", "--save", "", "--dir", str(folder), *options, "--unixsocket"]
        super().__init__(folder, "old-redis", fixed)


class ChannelsSite(UnixServer):
    """daphne with its defaults, over tests/doctor/faulty_consumers.py."""

    def __init__(self, folder: Path, *, redis: Path, old_redis: Path) -> None:
        self.silent = socket.socket()  # accepts connections and never answers
        self.silent.bind(("127.0.0.1", 0))
        self.silent.listen(50)
        super().__init__(
            folder,
            "daphne",
            [sys.executable, "-m", "daphne", "tests.doctor.faulty_consumers:application", "-u"],
            REDIS=f"unix://{redis}",
            OLD_REDIS=f"unix://{old_redis}",
            SILENT=f"redis://127.0.0.1:{self.silent.getsockname()[1]}",
        )

    def stop(self) -> None:
        super().stop()
        self.silent.close()

    @property
    def edits(self) -> Edits:
        """The edits with which nginx sends the WebSockets here."""
        return {"sites/site.conf": [("proxy_pass http://$ws_servers;", f"proxy_pass http://unix:{self.socket};")]}
