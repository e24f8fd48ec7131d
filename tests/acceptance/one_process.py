"""Parley in one process on one port, as a platform runs it: without nginx and Redis, here with a certificate."""

import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from deploy.local import certificate
from deploy.local.layout import Layout
from tests.running import REPO, free_port

START_SECONDS = 60


class OneProcess:
    """A running process: OneProcess() starts it, stop() ends it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="parley-one-"))
        port = free_port()
        layout = Layout(var=self.folder, env_file=Path(os.devnull), https_port=port, http_port=0)
        layout.make_folders()
        certificate.renew(layout)
        self.certificate = layout.tls / "fullchain.pem"
        self.url = f"https://localhost:{port}"
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # on a platform, `python` has the packages
            "STACK_ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-tests-" * 5,
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": f"sqlite:///{self.folder}/parley.sqlite3",
            "REDIS_URL": "",
            "STATIC_ROOT": str(self.folder / "static"),
            "PORT": str(port),
            "GUNICORN_CMD_ARGS": f"--certfile={self.certificate} --keyfile={layout.tls / 'privkey.pem'}",
        }
        self.output = (self.folder / "output.txt").open("wb")
        self.process = subprocess.Popen(
            ["sh", REPO / "deploy/platform.sh"], env=environment, stdout=self.output, stderr=subprocess.STDOUT
        )
        self._await_start()

    def _await_start(self) -> None:
        trust = ssl.create_default_context(cafile=self.certificate)
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(trust):
            if self.process.poll() is not None or time.monotonic() > deadline:
                output = (self.folder / "output.txt").read_text()
                self.stop()
                raise AssertionError(f"The process did not start:\n{output}")
            time.sleep(0.05)

    def _answers(self, trust: ssl.SSLContext) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/readyz", context=trust, timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Stop the process and remove its folder."""
        self.process.terminate()
        self.process.wait(30)
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)
