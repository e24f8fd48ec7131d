"""A guest that this test run serves itself, by the program `parley run`."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.instance import StartFailed, find_free_port
from deploy.local.layout import REPO
from deploy.local.services import end_with_parent

START_TIMEOUT_SECONDS = 300  # the first start of a guest installs its packages
STOP_TIMEOUT_SECONDS = 40
POLL_SECONDS = 0.05
# Variables of this test run that a guest's processes must not see.
TEST_VARIABLES = (
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "LOG_LEVEL",
    "STACK_ENV_FILE",
    "PYTHONPATH",
    "REDIS_URL",
    "SECRET_KEY",
)


class LocalSite:
    """`python -m deploy.cli run FOLDER` with free ports and a state folder of its own.

    Attributes:
        url: the https address, after start(); the same after each start.
        http_url: the http address, after start().
        sockets: the unix socket of each server by its name, after start().
        certificate: the file with the site's self-signed certificate, after start().
    """

    process: subprocess.Popen[bytes]
    url: str
    http_url: str
    sockets: dict[str, str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = Path(tempfile.mkdtemp(prefix="parley-guest-"))
        self.output = self.scratch / "output.txt"
        self.ready = self.scratch / "ready.json"
        ours = {
            name: value
            for name, value in os.environ.items()
            if name not in TEST_VARIABLES and not name.startswith("PYTEST")
        }
        self.environment = ours | {
            "DRAIN_SECONDS": "1",
            "HTTPS_PORT": str(find_free_port()),
            "HTTP_PORT": str(find_free_port()),
            "STACK_READY_FILE": str(self.ready),
            "XDG_STATE_HOME": str(self.scratch / "state"),
        }

    def start(self) -> None:
        """Start the site and return when it is ready.

        Raises:
            StartFailed: It is not ready within START_TIMEOUT_SECONDS.
        """
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                end_with_parent([sys.executable, "-m", "deploy.cli", "run", str(self.folder)]),
                cwd=REPO,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StartFailed(self.log())
            time.sleep(POLL_SECONDS)
        addresses = json.loads(self.ready.read_text())
        self.url, self.http_url = addresses["https_url"], addresses["http_url"]
        self.sockets = addresses["sockets"]

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Send SIGTERM, or SIGINT as Ctrl-C does, and return when all processes have ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_SECONDS)
        with suppress(ProcessLookupError):  # a worker whose master has ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def remove(self) -> int:
        """Stop the site as Ctrl-C does, and remove what it has written. Return its exit code.

        With STACK_KEEP in our environment the files stay.
        """
        self.stop(signal.SIGINT)
        if not os.environ.get("STACK_KEEP"):
            shutil.rmtree(self.scratch, ignore_errors=True)
        return self.process.returncode

    @property
    def certificate(self) -> Path:
        """The file with the site's self-signed certificate."""
        return next((self.scratch / "state").rglob("fullchain.pem"))

    def log(self) -> str:
        """Return what all processes have printed so far."""
        return self.output.read_text(errors="replace")


def hash_folder(folder: Path) -> str:
    """Return a digest of every file, link and folder below `folder`: path, mode and content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        content = b"" if path.is_dir() else os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {path.lstat().st_mode:o} {len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
