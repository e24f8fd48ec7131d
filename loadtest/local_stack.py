"""A Parley of this run's own, as `make run` starts it, in a folder of its own; its people are made ahead."""

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
from types import TracebackType
from typing import Any, Self

from deploy.local.services import tied_to_us
from loadtest.bench.programs import clean_environment, free_port
from loadtest.director import NotReady
from loadtest.proc import families

REPO = Path(__file__).resolve().parent.parent
START_SECONDS = 90
STOP_SECONDS = 30


class LocalStack:
    """Use as a context manager. Raises NotReady on entering."""

    def __init__(self, cores: list[int]) -> None:
        """On these cores."""
        self.cores = cores
        self.folder = Path(tempfile.mkdtemp(prefix="parley-load-"))
        self.ready = self.folder / "ready.json"
        self.environment = {
            **clean_environment(),
            "PARLEY_VAR": str(self.folder / "var"),
            "PARLEY_ENV_FILE": str(self.folder / ".env"),
            "PARLEY_HTTPS_PORT": str(free_port()),
            "PARLEY_HTTP_PORT": str(free_port()),
            "PARLEY_READY_FILE": str(self.ready),
            "LOG_LEVEL": "WARNING",
            "DRAIN_SECONDS": "0",  # when it ends nobody is there any more
        }

    def __enter__(self) -> Self:
        log = (self.folder / "output.txt").open("wb")
        self.process = subprocess.Popen(  # noqa: S603
            tied_to_us([sys.executable, "deploy/run.py"]),
            cwd=REPO,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "output.txt").read_text(errors="replace")
                raise NotReady(f"The stack did not start: {said[-2000:]}")
            time.sleep(0.05)
        facts = json.loads(self.ready.read_text())
        self.url: str = facts["https_url"]
        # Only now: starting is quicker on all cores. Who is started later has its parent's.
        for pid in families({"all": self.process.pid})["all"]:
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), self.cores)

    def people(self, number: int, rooms: int, rooms_each: int) -> dict[str, Any]:
        """Make so many, each in their rooms, and return what the command prints."""
        command = [sys.executable, "app/manage.py", "load_people", str(number), "--rooms", str(rooms)]
        done = subprocess.run(  # noqa: S603
            [*command, "--rooms-each", str(rooms_each)],
            cwd=REPO,
            env={
                "DATABASE_URL": f"sqlite:///{self.folder}/var/parley.sqlite3",
                "REDIS_URL": f"unix://{self.folder}/var/run/redis.sock",
                "DJANGO_SETTINGS_MODULE": "config.settings",
                **self.environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotReady(f"The people could not be made: {done.stderr.strip()[-1000:]}")
        people: dict[str, Any] = json.loads(done.stdout)
        return people

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
