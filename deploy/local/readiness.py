"""Wait until the site answers, then announce its address."""

import http.client
import json
import os
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.local.certificate import lan_address
from deploy.local.layout import Layout
from deploy.unix_http import UnixSocketConnection, fetch

READY_TIMEOUT_SECONDS = 60  # for the first start of a slow machine; usually it takes two or three
ANSWER_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Ready:
    """The site answers."""


@dataclass(frozen=True)
class NotReady:
    """The site did not answer within READY_TIMEOUT_SECONDS; `reason` is the last answer, or that there was none."""

    reason: str


class ReadyFile(TypedDict):
    """The JSON in the file STACK_READY_FILE, for programs that wait for the site (tests, load test)."""

    https_url: str
    http_url: str
    pids: dict[str, int]
    sockets: dict[str, str]


class Announcement:
    """Waits for the site at `host`, prints its addresses, and writes STACK_READY_FILE where that variable is set.

    `home` is the path of the page that visitors open first.
    """

    def __init__(self, layout: Layout, *, title: str, host: str, home: str = "/") -> None:
        self.layout = layout
        self.title = title
        self.host = host
        self.home = "" if home == "/" else home
        self.https_url = f"https://{host}:{layout.https_port}"
        self.file = Path(os.environ["STACK_READY_FILE"]) if os.environ.get("STACK_READY_FILE") else None

    def await_ready(self, report: Callable[[Ready | NotReady], None]) -> None:
        """Start a thread that waits for the site and then calls `report` once."""
        threading.Thread(target=lambda: report(self.poll_until_ready()), daemon=True).start()

    def poll_until_ready(self) -> Ready | NotReady:
        """Ask for /readyz at each server, then through nginx, until all answer 200 or the time is over."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        # The servers first: nginx would log an error for each request to one that does not listen yet.
        waiting = [lambda: self.connect_to("web"), lambda: self.connect_to("ws1"), lambda: self.connect_to("ws2")]
        waiting.append(self.connect_through_nginx)
        reason = ""
        while waiting:
            pause = 0.05  # seconds; the server does not listen yet
            try:
                status, body = fetch(waiting[0](), "/readyz", self.host)
                if status == 200:
                    waiting.pop(0)
                    continue
                reason = f"/readyz answers {status}: {body[:500]}"
                pause = 1.0  # seconds; the server listens and waits for something itself
            except OSError as error:
                reason = f"/readyz does not answer: {error}"
            except http.client.HTTPException as error:
                reason = f"/readyz does not answer with HTTP: {error!r}"
            if time.monotonic() > deadline:
                return NotReady(reason)
            time.sleep(pause)
        return Ready()

    def connect_through_nginx(self) -> http.client.HTTPConnection:
        """Return a connection to the https port; the certificate is self-signed, so it is not verified."""
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            "127.0.0.1", self.layout.https_port, timeout=ANSWER_TIMEOUT_SECONDS, context=unverified
        )

    def connect_to(self, name: str) -> http.client.HTTPConnection:
        """Return a connection to one server (web, ws1, ws2) without nginx."""
        return UnixSocketConnection(self.layout.socket(name), timeout=ANSWER_TIMEOUT_SECONDS)

    def publish(self, pids: dict[str, int]) -> None:
        """Print the addresses and write the ready file. `pids` has the process id of each service by its name."""
        lan = lan_address()
        lines = [f"{self.title} is running", "", f"  {self.https_url}{self.home}"]
        lines += [f"  https://{lan}:{self.layout.https_port}{self.home}   (from your network)"] if lan else []
        lines += ["", "The certificate is self-signed: your browser asks once."]
        lines += [f"Requests are logged in {self.layout.log / 'access.log'}", "Ctrl-C stops everything."]
        print(framed(lines), flush=True)
        if self.file:
            facts: ReadyFile = {
                "https_url": self.https_url,
                "http_url": f"http://{self.host}:{self.layout.http_port}",
                "pids": pids,
                "sockets": {name: str(self.layout.socket(name)) for name in pids if name != "nginx"},
            }
            new = self.file.with_name(self.file.name + ".new")
            new.write_text(json.dumps(facts))
            new.rename(self.file)  # a reader never sees half a file

    def withdraw(self) -> None:
        """Remove the ready file: the site stops."""
        if self.file:
            self.file.unlink(missing_ok=True)


def framed(lines: list[str]) -> str:
    """Return the lines in a box."""
    width = max(map(len, lines))
    body = [f"│ {line.ljust(width)} │" for line in lines]
    return "\n".join(["", f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘", ""])
