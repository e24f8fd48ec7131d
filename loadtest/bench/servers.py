"""The server processes of one contender: started in a folder of their own, measured in groups, ended by their ids."""

import atexit
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.services import end_with_parent
from loadtest.bench.address import Address
from loadtest.core.cpu_affinity import split_cores
from loadtest.core.host import REPO, clean_environment, raise_file_limit, stop_process
from loadtest.core.processes import Usage, measure_family
from loadtest.core.program import OURS

START_TIMEOUT_SECONDS = 40
STOP_TIMEOUT_SECONDS = 8
SPARE_FILES = 200  # logs, listeners, libraries
LOG_CHARACTERS = 300  # of a server's log, in an error text


class NotStarted(Exception):
    """A contender could not be started. The text says why."""


class ServerProcesses:
    """The processes of one contender. A context manager; leaving it ends them and removes their folder.

    Attributes:
        folder: for sockets, configuration and logs.
        groups: process ids by what they are measured as: server, nginx, redis, database.
        running: the processes that were started here.
    """

    def __init__(self) -> None:
        raise_file_limit()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{OURS}-bench-"))
        self.groups: defaultdict[str, list[int]] = defaultdict(list)
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in reversed(self.running):
            stop_process(process, STOP_TIMEOUT_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(
        self, group: str, command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path = REPO
    ) -> subprocess.Popen[bytes]:
        """Start a program on the servers' cores. `env` is added to our own environment."""
        cores = ",".join(map(str, split_cores().servers))
        with (self.folder / f"{group}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                end_with_parent(["taskset", "-c", cores, *command]),
                cwd=cwd,
                env={**clean_environment(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.groups[group].append(process.pid)
        self.running.append(process)
        return process

    def await_listening(self, address: Address) -> None:
        """Return when a server accepts connections at this address.

        Raises:
            NotStarted: a process has ended, or no server listens within START_TIMEOUT_SECONDS.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not address.accepts_connections():
            for process in self.running:
                if process.poll() is not None:
                    raise NotStarted(f"it ended with exit code {process.returncode}: {self.read_log_end()}")
            if time.monotonic() > deadline:
                raise NotStarted(f"it did not listen within {START_TIMEOUT_SECONDS} s: {self.read_log_end()}")
            time.sleep(0.05)

    def read_log_end(self) -> str:
        """Return the end of what the servers have written, in one line."""
        text = "\n".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log")))
        text = " ".join(text.split())[-LOG_CHARACTERS:].replace(str(self.folder), "").replace(str(REPO), "")
        return text or "it wrote no log"

    @staticmethod
    @cache
    def shared_folder() -> Path:
        """Return a folder for what several contenders of this run share; it is removed when the run ends."""
        folder = Path(tempfile.mkdtemp(prefix=f"{OURS}-bench-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def measure(self) -> dict[str, Usage]:
        """Return what each group has used so far."""
        return {group: measure_family(pids) for group, pids in self.groups.items()}


def max_members() -> int:
    """Return how many members the limit on open files allows: each is at most two files of one nginx worker."""
    return (raise_file_limit() - SPARE_FILES) // 2


def start_redis(servers: ServerProcesses) -> Path:
    """Start a Redis without a port and without a disk; return the path of its socket."""
    path = servers.folder / "redis.sock"
    options = {"port": "0", "unixsocket": str(path), "save": "", "appendonly": "no", "dir": str(servers.folder)}
    program = shutil.which("redis-server", path=clean_environment()["PATH"]) or "redis-server"
    servers.start("redis", [program, *(word for name, value in options.items() for word in (f"--{name}", value))])
    servers.await_listening(Address(path=str(path)))
    return path
