"""A run of deploy/run.py in a folder of its own, for the tests and the load test."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local.layout import REPO
from deploy.local.services import end_with_parent
from deploy.program import PROGRAM
from deploy.site_name import CHAT

START_TIMEOUT_SECONDS = 90
STOP_TIMEOUT_SECONDS = 40
POLL_SECONDS = 0.05


class StartFailed(Exception):
    """The site ended before it was ready, or was not ready in time; the text is what its processes have printed."""


def find_free_port() -> int:
    """Return a TCP port of the loopback interface on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalInstance:
    """A site like the one of `make run`, with free ports and a temporary folder for all that it writes.

    It ends when the process that started it is killed.

    Args:
        environment: all variables of its processes, but for its folder and its ports.
        command: what starts it, in the folder of this repository: `make run`, or the command `run` with a project.
        start_timeout: seconds until it has to be ready.

    Attributes:
        folder: everything it writes, and output.txt with what its processes print.
        ready: the path of the file that exists when the site is ready, and then holds its addresses and process ids.
        process: deploy/run.py, after start().
        url: the https address of the site, after start().
        http_url: its http address, after start().
    """

    process: subprocess.Popen[bytes]
    url: str
    http_url: str

    def __init__(
        self,
        environment: Mapping[str, str],
        command: Sequence[str] = (sys.executable, "deploy/run.py"),
        start_timeout: float = START_TIMEOUT_SECONDS,
    ) -> None:
        self.command, self.start_timeout = command, start_timeout
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PROGRAM}-"))
        self.ready = self.folder / "ready.json"
        self.environment = {
            **environment,
            "STACK_VAR": str(self.folder / "var"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "STACK_ENV_FILE": str(self.folder / ".env"),
            "HTTPS_PORT": str(find_free_port()),
            "HTTP_PORT": str(find_free_port()),
            "STACK_READY_FILE": str(self.ready),
        }

    def start(self) -> None:
        """Start the site and return when it is ready.

        Raises:
            StartFailed: It is not ready within `start_timeout`. Its processes are stopped then.
        """
        with (self.folder / "output.txt").open("wb") as output:
            self.process = subprocess.Popen(
                end_with_parent(list(self.command)),
                cwd=REPO,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise
        addresses = json.loads(self.ready.read_text())
        self.url, self.http_url = addresses["https_url"], addresses["http_url"]

    def _await_start(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(self.log())
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop all processes and remove the folder. With STACK_KEEP in our environment the folder stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_SECONDS)
        with suppress(ProcessLookupError):  # a worker whose master has ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if not os.environ.get("STACK_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what all processes have printed so far."""
        return (self.folder / "output.txt").read_text(errors="replace")

    def settings_environment(self) -> dict[str, str]:
        """Return the environment of a Django command, in any folder, that uses the site's database and Redis."""
        var = self.folder / "var"
        return {
            "DATABASE_URL": f"sqlite:///{var}/{CHAT}.sqlite3",
            "REDIS_URL": f"unix://{var}/run/redis.sock",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **self.environment,
            "PYTHONPATH": f"{REPO / 'app'}:{REPO}",
        }
