"""A small Django project, written into a folder and served as the stack serves any project."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, unix_connect

REPO = Path(__file__).parent.parent.parent
APP = REPO / "app"
HOST = "chat.example.org"
ORIGIN = f"https://{HOST}"
START_TIMEOUT_SECONDS = 30

# Of the tests' own process; a project's process must not see them.
UNIT_TESTS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "LOG_LEVEL", "DJANGO_SETTINGS_MODULE")


@dataclass
class Server:
    """A server of a project on a unix socket."""

    path: Path
    log_file: Path
    process: "subprocess.Popen[bytes]"

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.path)), timeout=20) as client:
            return client.get(f"http://{HOST}{path}", headers=headers)

    def connect(self, path: str, *, origin: str | None = ORIGIN, **options: Any) -> Any:
        """Open a WebSocket: `async with server.connect("/ws/") as client`."""
        return unix_connect(str(self.path), f"ws://{HOST}{path}", origin=origin, compression=None, **options)

    def log(self) -> str:
        return self.log_file.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Project:
    """A project with these files, and the description of the site as which it is served."""

    def __init__(self, folder: Path, files: dict[str, str], **site: Any) -> None:
        self.folder = folder
        self.root = folder / "source"
        self.state = folder / "state"
        packages = folder / "packages"
        for made in (self.root, self.state, packages):
            made.mkdir()
        for name in ("channels_stack", "channels_realtime"):
            (packages / name).symlink_to(APP / name)
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.site_file = self.state / "site.json"
        self.environment = {name: value for name, value in os.environ.items() if name not in UNIT_TESTS} | {
            "PYTHONPATH": f"{self.root}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "channels_stack.settings",
            "SITE_FILE": str(self.site_file),
            "SECRET_KEY": "the-key-of-this-site-" * 4,
            "DATABASE_URL": f"sqlite:///{self.state}/site.sqlite3",
            "DRAIN_SECONDS": "0.1",
        }
        self.describe(
            **{
                "name": "mysite",
                "settings": "mysite.settings",
                "asgi": "mysite.asgi:application",
                "wsgi": "mysite.wsgi:application",
                "hosts": [HOST],
                "origins": [ORIGIN],
                "static_root": str(self.state / "static"),
                "media_root": str(self.state / "media"),
                "database": "given",
            }
            | site
        )

    def describe(self, **site: Any) -> None:
        """Write the site description; a second call changes fields."""
        before = json.loads(self.site_file.read_text()) if self.site_file.exists() else {}
        self.site_file.write_text(json.dumps(before | site))

    def run(self, *arguments: str, check: bool = True, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `python ARGUMENTS` in the project's root."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def evaluate(self, expression: str, setup: str = "") -> Any:
        """Return the value of an expression in a process of the project, as JSON carries it."""
        imports = "import json, django\ndjango.setup()\nfrom django.conf import settings"
        code = f"{imports}\n{setup}\nprint(json.dumps({expression}))"
        return json.loads(self.run("-c", code).stdout.splitlines()[-1])

    def overrides(self) -> dict[str, dict[str, str]]:
        """Return what the overlay changed, by setting."""
        found = json.loads(self.run("-m", "channels_stack.overrides", "--json").stdout)
        return {override["name"]: override for override in found["overrides"]}

    def routes(self) -> list[dict[str, Any]]:
        """Return the socket routes."""
        return list(json.loads(self.run("-m", "channels_stack.routes").stdout))

    def migrate(self) -> None:
        self.run("-m", "django", "migrate", "--run-syncdb", "-v0")

    @contextmanager
    def sockets(self) -> Iterator[Server]:
        """The server of WebSockets, while the block runs."""
        with self._serve(
            "ws", "-m", "channels_realtime.server", "--unix", "{}", "channels_stack.asgi:application"
        ) as server:
            yield server

    @contextmanager
    def pages(self) -> Iterator[Server]:
        """The server of pages, while the block runs."""
        config = str(REPO / "deploy/gunicorn.conf.py")
        command = ("-m", "gunicorn", "--config", config, "--workers", "1", "--bind", "unix:{}")
        with self._serve("web", *command, "channels_stack.wsgi:application") as server:
            yield server

    @contextmanager
    def _serve(self, name: str, *command: str) -> Iterator[Server]:
        path, log_file = self.state / f"{name}.sock", self.state / f"{name}.log"
        path.unlink(missing_ok=True)
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *(part.format(path) for part in command)],
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = Server(path, log_file, process)
        try:
            _wait_until_it_listens(server)
            yield server
        finally:
            server.stop()


def _wait_until_it_listens(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        assert server.process.poll() is None, server.log()
        assert time.monotonic() < deadline, server.log()
        with socket.socket(socket.AF_UNIX) as attempt:
            if server.path.exists() and attempt.connect_ex(str(server.path)) == 0:
                return
        time.sleep(0.05)


async def receive(client: ClientConnection) -> Any:
    """Return the next message of a WebSocket, decoded from JSON."""
    return json.loads(await client.recv())
