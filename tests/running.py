"""A Parley for this test run, started as `make run` does: nginx with TLS, gunicorn, two daphnes, Redis."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deploy.local.instance import LocalInstance
from deploy.local.instance import find_free_port as free_port
from tests.chat_client import ChatClient, Closed

REPO = Path(__file__).parent.parent

# The certificate is self-signed, so it is not verified.
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE

PEOPLE = """
import json, sys
from tests.signed_in import sessions_of
print(json.dumps(sessions_of(json.loads(sys.argv[1]))))
"""


class Stack(LocalInstance):
    """A running stack: `Stack(...)` starts it, stop() ends it. `environment` is added to that of its processes."""

    def __init__(self, **environment: str) -> None:
        # An origin of another site, for which a test may start a server.
        self.allowed_origin = f"http://localhost:{free_port()}"
        unit_tests = ("SECRET_KEY", "LOG_LEVEL", "REDIS_URL", "DATABASE_URL", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE")
        ours = {name: value for name, value in os.environ.items() if name not in unit_tests}
        super().__init__(
            {name: value for name, value in ours.items() if not name.startswith("PYTEST")}
            | {
                "SOCKET_RATE": "100000",
                "SOCKET_BURST": "100000",
                "API_RATE": "1000000/min",
                "DRAIN_SECONDS": "1",
                "ALLOWED_ORIGINS": self.allowed_origin,
            }
            | environment
        )
        self.start()
        self.wss_url = self.url.replace("https://", "wss://") + "/ws/"

    async def wait_for_log(self, text: str) -> None:
        """Wait until a process has printed this text."""
        async with asyncio.timeout(10):
            while text not in self.log():
                await asyncio.sleep(0.02)

    # --- processes

    def pid(self, name: str) -> int:
        """Return the process that runs now as redis, web, ws1, ws2 or nginx."""
        return int((self.folder / "var/run" / f"{name}.pid").read_text())

    def kill(self, name: str, *, hold: bool = False) -> int:
        """Kill a process and return its pid. It is restarted at once, or with `hold` only after release()."""
        if hold:
            (self.folder / "var/run" / f"{name}.hold").touch()
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def release(self, name: str) -> None:
        """Let a held process be restarted."""
        (self.folder / "var/run" / f"{name}.hold").unlink()

    def run_python(self, code: str, *arguments: str) -> str:
        """Run Python code with the site's settings and return its output."""
        setup = "import django; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", setup + code, *arguments],
            cwd=REPO,
            env=self.settings_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def secret_key(self) -> str:
        """Return the key that `make run` has created."""
        lines = (self.folder / ".env").read_text().splitlines()
        return next(line.split("=", 1)[1] for line in lines if line.startswith("SECRET_KEY=")).strip("'\"")

    # --- people

    def people(self, *names: str) -> list[str]:
        """Return session cookies of these accounts, which are created where they do not exist."""
        return list(json.loads(self.run_python(PEOPLE, json.dumps(names))))

    def browser(self, cookie: str = "", **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client with this session and a CSRF token."""
        token = "x" * 32
        cookies = {"csrftoken": token, **({"sessionid": cookie} if cookie else {})}
        headers = {"X-CSRFToken": token, "Referer": self.url + "/", "Origin": self.url}
        return httpx.AsyncClient(
            base_url=self.url, cookies=cookies, headers=headers, verify=TRUSTING, timeout=60, **options
        )

    async def connect(
        self, cookie: str, *, through: str = "", path: str = "/ws/", timeout_seconds: float = 60
    ) -> ChatClient:
        """Return a client over wss through nginx, or `through` the socket of one daphne (ws1, ws2); not open yet."""
        return ChatClient(await Wss.open(self, cookie, through=through, path=path), timeout_seconds)


class Wss:
    """A WebSocket of the library websockets, as the transport of a client (tests/chat_client.py)."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, stack: Stack, cookie: str, *, through: str = "", path: str = "/ws/", **options: Any) -> "Wss":
        """Open a WebSocket. Raises the errors of websockets."""
        options = {
            "subprotocols": ["parley.v1"],
            "origin": stack.url,
            "additional_headers": {"Cookie": f"sessionid={cookie}"} if cookie else {},
            "max_size": None,
            "compression": None,
            "proxy": None,
            "open_timeout": 30,
            **options,
        }
        url = stack.wss_url.removesuffix("/ws/") + path
        if through:
            plain = socket.socket(socket.AF_UNIX)
            plain.connect(str(stack.folder / f"var/run/{through}.sock"))
            plain.setblocking(False)
            # As nginx, in whose place this connects.
            options["additional_headers"] = {**options["additional_headers"], "X-Forwarded-Proto": "https"}
            return cls(await connect(url.replace("wss://", "ws://"), sock=plain, **options))
        return cls(await connect(url, ssl=TRUSTING, **options))

    async def send(self, text: str) -> None:
        """Send a text frame. Raises Closed."""
        try:
            await self.connection.send(text)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def receive(self) -> str:
        """Return the next text frame. Raises Closed."""
        try:
            return str(await self.connection.recv())
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def close(self) -> None:
        """Close the WebSocket."""
        await self.connection.close()


def _closed(closed: ConnectionClosed) -> Closed:
    return Closed(closed.rcvd.code if closed.rcvd else 1006)
