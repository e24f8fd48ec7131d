"""A real nginx in front of servers that return the requests that they received."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

from deploy.local import site
from deploy.local.layout import Layout

PORTS_PER_WORKER = 2_000
used_ports: set[int] = set()  # by this worker, so that no two layouts share one


class Witness(BaseHTTPRequestHandler):
    """Answers a request with its own path and headers as JSON: 101 to a handshake, 426 to any other request to /ws/."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = json.dumps({"path": self.path, "by": self.server.name, "headers": dict(self.headers)})  # type: ignore[attr-defined]
        if self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "upgrade")
            self.send_header("X-Seen", seen)
            self.end_headers()
            self.close_connection = True
            return
        if self.path.startswith("/ws/"):
            self.send_response(426)
            self.send_header("Upgrade", "websocket")
        else:
            self.send_response(200)
        # The application sends these headers, and nginx replaces them.
        self.send_header("Strict-Transport-Security", "max-age=1")
        self.send_header("X-Request-ID", "from-the-application")
        self.send_header("Content-Length", str(len(seen)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(seen.encode())

    do_GET = do_POST = do_HEAD = answer  # noqa: N815  # the names are http.server's

    def log_message(self, *args: Any) -> None: ...

    def address_string(self) -> str:
        return "nginx"


class Upstream(ThreadingMixIn, UnixStreamServer):
    """A server at a unix socket, in the place of gunicorn or daphne."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        super().__init__(str(path), Witness)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)


@dataclass
class Answer:
    """The answer to a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Nginx:
    """A running nginx, and its upstreams."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.url = f"https://127.0.0.1:{layout.https_port}"
        (layout.log / "access.log").unlink(missing_ok=True)
        self.upstreams = {name: Upstream(layout.socket(name)) for name in ("web", "ws1", "ws2")}
        self.process = subprocess.Popen(site.command(layout), stderr=subprocess.PIPE, start_new_session=True)
        # nginx writes this file once it has all of its ports. Before that it may accept connections and give up later.
        until(lambda: layout.nginx_pid_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1].decode()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        plain: bool = False,
        port: int | None = None,
    ) -> Answer:
        if plain:
            connection = http.client.HTTPConnection(address, port or self.layout.http_port, timeout=10)
        else:
            connection = http.client.HTTPSConnection(
                address, port or self.layout.https_port, timeout=10, context=unverified_context()
            )
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def handshake(self, path: str = "/ws/", *, address: str = "127.0.0.1", **headers: str) -> Answer:
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        return self.ask(path, headers=upgrade | headers, address=address)

    def logged(self, answer: Answer) -> dict[str, Any]:
        """Return the line of the access log about this answer; nginx writes it a moment after the last byte."""
        number = answer.headers["X-Request-ID"]

        def lines() -> list[str]:
            return [line for line in (self.layout.log / "access.log").read_text().splitlines() if number in line]

        until(lambda: bool(lines()))
        (line,) = lines()
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate()
        for upstream in self.upstreams.values():
            upstream.end()


@cache
def unverified_context(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"this did not happen within {seconds} s"
        threading.Event().wait(0.02)


def free_ports(count: int) -> list[int]:
    """Return ports that no other process will take before nginx listens on them, which may be much later.

    They lie below the range from which the kernel gives ports to clients and to servers that ask for any, and each
    worker of pytest-xdist has a range of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 12_000 + worker % 8 * PORTS_PER_WORKER
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(first, first + PORTS_PER_WORKER)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))  # at every address, as nginx listens
            if port not in found and port not in used_ports:
                found.append(port)
    used_ports.update(found)
    return found
