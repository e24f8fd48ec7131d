"""The processes of one contender: started in a folder of their own, counted in groups, ended by their ids."""

import atexit
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.services import tied_to_us
from loadtest import proc
from loadtest.bench import cores
from loadtest.bench.client.lines import Address

REPO = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 40
SPARE_FILES = 200  # logs, listeners, libraries
STOP_SECONDS = 8


class NotStarted(Exception):
    """A contender could not be started; the text says why."""


class Programs:
    """Use as a context manager; leaving it ends whatever runs and removes the folder."""

    def __init__(self) -> None:
        raise_file_limit()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
        self.groups: defaultdict[str, list[int]] = defaultdict(list)  # process ids by what they are counted as
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in reversed(self.running):
            end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(
        self, group: str, command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path = REPO
    ) -> subprocess.Popen[bytes]:
        """Start a program on the servers' cores. `env` is added to ours."""
        with (self.folder / f"{group}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                tied_to_us(["taskset", "-c", cores.SERVERS, *command]),
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
        """Return when somebody accepts connections there. Raises NotStarted."""
        deadline = time.monotonic() + START_SECONDS
        while not accepts(address):
            for process in self.running:
                if process.poll() is not None:
                    raise NotStarted(f"it ended with exit code {process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NotStarted(f"it did not listen within {START_SECONDS} s: {self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The end of what the servers have written, in one line."""
        text = "\n".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log")))
        return " ".join(text.split())[-300:].replace(str(self.folder), "").replace(str(REPO), "") or "it said nothing"

    @staticmethod
    @cache
    def scratch() -> Path:
        """A folder for what several contenders of this run share; gone when the run ends."""
        folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def usage(self) -> dict[str, proc.Usage]:
        """What each group has used so far."""
        return {group: proc.usage(pids) for group, pids in self.groups.items()}


def end(process: subprocess.Popen[bytes]) -> None:
    """Politely, then not; with everything in its own session."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):  # workers of a master that is gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def accepts(address: Address) -> bool:
    family = socket.AF_UNIX if address.path else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address.path or ("127.0.0.1", address.port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Ours without what would change a server; and this repository's Python first in PATH."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PARLEY_", "PYTEST")) and name not in _OF_A_SITE
    }
    return {**ours, "PATH": f"{Path(sys.executable).parent}:{ours.get('PATH', os.defpath)}:/usr/sbin:/sbin"}


_OF_A_SITE = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL", "ALLOWED_HOSTS", "ASGI_SERVER", "DEBUG"}


def raise_file_limit() -> int:
    """Ours, and so our children's, to what is allowed; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def largest_room() -> int:
    """Members that the limit on open files allows: each is two files of one nginx worker, in the worst case."""
    return (raise_file_limit() - SPARE_FILES) // 2


def redis(programs: Programs) -> Path:
    """Start a Redis with no port and no disk; returns its socket."""
    path = programs.folder / "redis.sock"
    options = {"port": "0", "unixsocket": str(path), "save": "", "appendonly": "no", "dir": str(programs.folder)}
    program = shutil.which("redis-server", path=clean_environment()["PATH"]) or "redis-server"
    programs.start("redis", [program, *(word for name, value in options.items() for word in (f"--{name}", value))])
    programs.await_listening(Address(path=str(path)))
    return path
