"""A Parley for this run alone, started as `make run` starts it, in a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.services import tied_to_us
from loadtest.core.host import REPO, clean_environment, find_free_port, stop_process
from loadtest.core.processes import find_families
from loadtest.load.director import NotReady
from loadtest.load.sessions import Sessions

START_TIMEOUT_SECONDS = 90
STOP_TIMEOUT_SECONDS = 30


class LocalStack:
    """A context manager: entering starts the site, leaving stops it and removes its folder.

    Args:
        cores: on which its processes run.

    Attributes:
        url: of the site.
        ready: path of the file with its process ids.

    Raises:
        NotReady: on entering, if the site does not start.
    """

    def __init__(self, cores: list[int]) -> None:
        self.cores = cores
        self.folder = Path(tempfile.mkdtemp(prefix="parley-load-"))
        self.ready = self.folder / "ready.json"
        self.url = ""
        self.environment = {
            **clean_environment(),
            "PARLEY_VAR": str(self.folder / "var"),
            "PARLEY_ENV_FILE": str(self.folder / ".env"),
            "PARLEY_HTTPS_PORT": str(find_free_port()),
            "PARLEY_HTTP_PORT": str(find_free_port()),
            "PARLEY_READY_FILE": str(self.ready),
            "LOG_LEVEL": "WARNING",
            "DRAIN_SECONDS": "0",  # no user is connected any more when it stops
        }

    def __enter__(self) -> Self:
        with (self.folder / "output.txt").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603
                tied_to_us([sys.executable, "deploy/run.py"]),
                cwd=REPO,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                output = (self.folder / "output.txt").read_text(errors="replace")
                raise NotReady(f"The stack did not start: {output[-2000:]}")
            time.sleep(0.05)
        self.url = json.loads(self.ready.read_text())["https_url"]
        # Only now, because starting is quicker on all cores. A process that is started later has its parent's cores.
        for process in find_families({"all": self.process.pid})["all"]:
            for thread in process.threads():
                os.sched_setaffinity(thread.id, self.cores)

    def make_sessions(self, users: int, rooms: int, rooms_each: int) -> Sessions:
        """Make so many users, each a member of its rooms.

        Raises:
            NotReady: `manage.py load_people` failed.
        """
        command = [sys.executable, "app/manage.py", "load_people", str(users), "--rooms", str(rooms)]
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
            raise NotReady(f"The users could not be made: {done.stderr.strip()[-1000:]}")
        sessions: Sessions = json.loads(done.stdout)
        return sessions

    def stop(self) -> None:
        """Stop all processes, and remove the folder."""
        stop_process(self.process, STOP_TIMEOUT_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)
