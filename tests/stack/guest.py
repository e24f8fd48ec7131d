"""A foreign project for tests of channels_realtime.server: its folder, its Redis, and its server processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.instance import find_free_port

REPO = Path(__file__).parent.parent.parent
START_TIMEOUT_SECONDS = 30


def wait_until_listening(address: str | tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a process takes connections at a path or a port."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as client:
            try:
                client.connect(address)
            except OSError:
                time.sleep(0.02)
            else:
                return


class Program:
    """A program that a test starts, kills and starts again. Its log grows over all its processes."""

    def __init__(self, command: list[str], address: str | tuple[str, int], log: Path, **options: object) -> None:
        self.command, self.address, self.log_path, self.options = command, address, log, options
        self.start()

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **self.options)  # type: ignore[call-overload]
        wait_until_listening(self.address, self.process, self.log_path)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def log(self) -> str:
        return self.log_path.read_text()


def start_redis(folder: Path) -> Program:
    """Start a Redis that stores nothing."""
    path = str(folder / "redis.sock")
    options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", str(folder)]
    return Program(["redis-server", *options], path, folder / "redis.log")


class GuestProject:
    """A folder with a Django project, the settings module `guest_settings`, and what is started for it."""

    def __init__(self, folder: Path, settings: str, python: Path | None = None) -> None:
        """`python`: of an environment in which channels_realtime is installed; by default this checkout is used."""
        self.folder = folder
        self.python = str(python or sys.executable)
        self.paths = [str(folder)] if python else [str(folder), str(REPO / "app")]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "guest_settings.py").write_text(settings)
        self.programs: list[Program] = []
        self.redis_url = f"unix://{folder}/redis.sock"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "guest_settings",
            "PYTHONPATH": ":".join(self.paths),
            "DRAIN_SECONDS": "0.5",
        }

    def start_redis(self) -> Program:
        self.programs.append(start_redis(self.folder))
        return self.programs[-1]

    def serve(self, *arguments: str) -> Program:
        """Start a server at a free port: `server.address`."""
        port = find_free_port()
        log = self.folder / f"server-{port}.log"
        command = [self.python, "-m", "channels_realtime.server", "--tcp", f"127.0.0.1:{port}", *arguments]
        self.programs.append(Program(command, ("127.0.0.1", port), log, cwd=self.folder, env=self.environment))
        return self.programs[-1]

    def start(self, *command: str) -> Program:
        """Start another process of the project, and do not wait for it."""
        log = self.folder / f"process-{len(self.programs)}.log"
        with log.open("ab") as opened:
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=opened, stderr=opened)
        program = Program.__new__(Program)
        program.process, program.log_path = process, log
        self.programs.append(program)
        return program

    def manage(self, *arguments: str) -> str:
        """Run a management command and return its output."""
        command = [self.python, "-m", "django", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.stop()
