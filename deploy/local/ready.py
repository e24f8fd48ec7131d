"""Waits until the site really answers, and only then says so."""

import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.certificate import lan_address
from deploy.local.layout import Layout

SECONDS = 60  # a slow machine's first start; usually two or three


@dataclass(frozen=True)
class Ready:
    pass


@dataclass(frozen=True)
class NotReady:
    reason: str


class OverUnixSocket(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Announcement:
    """The site's address: asked until it answers, then printed, and written for programs that wait for it."""

    def __init__(self, layout: Layout, *, host: str) -> None:
        self.layout = layout
        self.host = host
        self.https_url = f"https://{host}:{layout.https_port}"
        self.file = Path(os.environ["PARLEY_READY_FILE"]) if os.environ.get("PARLEY_READY_FILE") else None

    def await_ready(self, tell: Callable[[Ready | NotReady], None]) -> None:
        """Start a thread that calls `tell` once."""
        threading.Thread(target=lambda: tell(self.ask_until_ready()), daemon=True).start()

    def ask_until_ready(self) -> Ready | NotReady:
        deadline = time.monotonic() + SECONDS
        # Each server first: nginx asks whichever daphne is free, and would log every refusal until then.
        waiting = [lambda: self.directly("web"), lambda: self.directly("ws1"), lambda: self.directly("ws2")]
        waiting.append(self.through_nginx)
        reason = ""
        while waiting:
            pause = 0.05  # seconds; a server that is not there yet
            try:
                status, body = answer_of(waiting[0](), self.host)
                if status == 200:
                    waiting.pop(0)
                    continue
                reason = f"/readyz answers {status}: {body[:500]}"
                pause = 1.0  # it is there and knows what it waits for
            except OSError as nobody:
                reason = f"/readyz does not answer: {nobody}"
            except http.client.HTTPException as nonsense:
                reason = f"/readyz answers nonsense: {nonsense!r}"
            if time.monotonic() > deadline:
                return NotReady(reason)
            time.sleep(pause)
        return Ready()

    def through_nginx(self) -> http.client.HTTPConnection:
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.layout.https_port, timeout=5, context=anybody)

    def directly(self, name: str) -> http.client.HTTPConnection:
        return OverUnixSocket(self.layout.socket(name), timeout=5)

    def publish(self, pids: dict[str, int]) -> None:
        lan = lan_address()
        lines = ["Parley is running", "", f"  {self.https_url}"]
        lines += [f"  https://{lan}:{self.layout.https_port}   (from your network)"] if lan else []
        lines += ["", "The certificate is this machine's own: your browser asks once."]
        lines += [f"Requests are logged in {self.layout.log / 'access.log'}", "Ctrl-C stops everything."]
        print(framed(lines), flush=True)
        if self.file:
            facts = {
                "https_url": self.https_url,
                "http_url": f"http://{self.host}:{self.layout.http_port}",
                "pids": pids,
                "sockets": {name: str(self.layout.socket(name)) for name in pids if name != "nginx"},
            }
            new = self.file.with_name(self.file.name + ".new")
            new.write_text(json.dumps(facts))
            new.rename(self.file)  # whoever sees the file sees all of it

    def withdraw(self) -> None:
        if self.file:
            self.file.unlink(missing_ok=True)


def answer_of(connection: http.client.HTTPConnection, host: str) -> tuple[int, str]:
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def framed(lines: list[str]) -> str:
    width = max(map(len, lines))
    body = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join(["", f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘", ""])
