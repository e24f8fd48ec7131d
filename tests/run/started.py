"""Starts a supervisor of small processes, for the tests of this folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.layout import REPO
from tests.nginx.served import until


class Supervised:
    """A supervisor that tests.run.supervised, or another module, runs in `folder`."""

    def __init__(self, folder: Path, *arguments: str, module: str = "tests.run.supervised") -> None:
        self.folder = folder
        self.output = folder / "output"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, folder, *arguments],
            cwd=REPO,
            env=os.environ | {"PYTHONPATH": str(REPO)},
            stdout=self.output.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def pid(self, name: str) -> int:
        file = self.folder / f"{name}.pid"
        until(file.exists)
        return int(file.read_text())

    def log(self) -> str:
        return self.output.read_text()

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)
