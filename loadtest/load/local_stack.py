"""A stack for this run alone, started as `make run` starts it, in a folder of its own."""

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from deploy.local.instance import LocalInstance, StartFailed
from loadtest.core.host import REPO, clean_environment
from loadtest.core.processes import find_families
from loadtest.load.director import NotReady
from loadtest.load.sessions import Sessions


class LocalStack(LocalInstance):
    """A context manager: entering starts the site, leaving stops it and removes its folder.

    Args:
        cores: on which its processes run.

    Raises:
        NotReady: on entering, if the site does not start.
    """

    def __init__(self, cores: list[int]) -> None:
        # No user is connected any more when it stops, so it does not drain.
        super().__init__({**clean_environment(), "LOG_LEVEL": "WARNING", "DRAIN_SECONDS": "0"})
        self.cores = cores

    def __enter__(self) -> Self:
        try:
            self.start()
        except StartFailed as failed:
            raise NotReady(f"The stack did not start: {str(failed)[-2000:]}") from None
        try:
            self._pin()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _pin(self) -> None:
        # Only after the start, which is quicker on all cores. A process that is started later has its parent's cores.
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
            env=self.settings_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotReady(f"The users could not be made: {done.stderr.strip()[-1000:]}")
        sessions: Sessions = json.loads(done.stdout)
        return sessions
