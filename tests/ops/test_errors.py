"""An error of the site is reported once to Sentry and to the log, under one id, without what users wrote.

The servers are real ones with mistakes in them (tests/ops/broken), and Sentry is a server that only listens.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chat_client import ChatClient, Refused
from tests.running import REPO, Stack, Wss

HANDSHAKE, REQUEST = "a" * 32, "b" * 32  # ids, as nginx would make them
BODY, TOKEN = "a-secret-body", "a-secret-token"


def unpacked(body: bytes, encoding: str | None) -> bytes:
    if encoding == "br":  # where the package happens to be there
        import brotli

        return bytes(brotli.decompress(body))
    return gzip.decompress(body) if encoding == "gzip" else body


class Sentry:
    """Takes envelopes by HTTP, as the real one does, and keeps them."""

    def __init__(self) -> None:
        self.raw: list[str] = []
        self.came = threading.Condition()
        sentry = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = unpacked(body, self.headers["Content-Encoding"])
                with sentry.came:
                    sentry.raw.append(body.decode())
                    sentry.came.notify_all()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.dsn = f"http://key@127.0.0.1:{self.server.server_address[1]}/1"

    def items(self, kind: str) -> list[dict[str, Any]]:
        """The events or transactions so far."""
        found = []
        for envelope in self.raw:
            lines = envelope.splitlines()
            for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(header)["type"] == kind:
                    found.append(json.loads(payload))
        return found

    def wait(self, kind: str, **tags: str) -> list[dict[str, Any]]:
        """Those with these tags, once there is one."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.items(kind) if tags.items() <= each["tags"].items()]

        with self.came:
            assert self.came.wait_for(found, timeout=20), self.raw
            return found()


class Broken:
    """A ws and a web with mistakes in them, on the stack's database."""

    def __init__(self, stack: Stack, sentry: Sentry, folder: Path) -> None:
        self.folder, self.stack = folder, stack
        self.environment = {
            **stack.settings_environment(),
            "DJANGO_SETTINGS_MODULE": "tests.ops.broken.settings",
            "SECRET_KEY": stack.secret_key(),
            "STATIC_ROOT": str(stack.folder / "var/static"),
            "ALLOWED_HOSTS": "localhost",
            "LOG_FORMAT": "json",
            "RELEASE": "v9",
            "SENTRY_DSN": sentry.dsn,
            "SENTRY_ENVIRONMENT": "trial",
            "SENTRY_TRACES": "1",
        }
        self.log = (folder / "log").open("w+")
        self.ws = self.start("channels_realtime.server", "--unix", str(folder / "ws.sock"))
        gunicorn = ("gunicorn", "--config", str(REPO / "deploy/gunicorn.conf.py"), "--workers", "1")
        self.web = self.start(*gunicorn, "--bind", f"unix:{folder / 'web.sock'}", "config.wsgi:application")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=REPO / "app", env=self.environment, stdout=self.log, stderr=self.log
        )

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=REPO / "app", env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def lines(self) -> list[dict[str, Any]]:
        """Everything that both have logged; each line has to be JSON."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    def end(self) -> None:
        for process in (self.ws, self.web):
            process.terminate()
            process.wait(30)
        self.log.close()


@pytest.fixture(scope="module")
def sentry() -> Iterator[Sentry]:
    listening = Sentry()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()


@pytest.fixture(scope="module")
def broken(stack: Stack, sentry: Sentry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    running = Broken(stack, sentry, tmp_path_factory.mktemp("broken"))
    try:
        for name in ("ws", "web"):
            transport = httpx.HTTPTransport(uds=str(running.folder / f"{name}.sock"), retries=0)
            with httpx.Client(transport=transport, base_url="http://localhost") as client:
                wait_until(lambda client=client: client.get("/livez").status_code == 200)
        yield running
    finally:
        running.end()


def wait_until(happens: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if happens():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def check(event: dict[str, Any], request_id: str) -> None:
    assert (event["release"], event["environment"]) == ("v9", "trial")
    assert event["tags"]["request_id"] == request_id
    (error,) = event["exception"]["values"]
    assert error["type"] == "Mistake"
    assert error["stacktrace"]["frames"][-1]["function"] in ("broken", "mark_read", "handle")
    assert not any("vars" in frame for frame in error["stacktrace"]["frames"])


async def test_an_error_in_a_socket_command_is_reported(stack: Stack, broken: Broken, sentry: Sentry):
    (cookie,) = stack.people("ann")
    headers = {"Cookie": f"sessionid={cookie}", "X-Request-ID": HANDSHAKE, "X-Forwarded-For": "203.0.113.9"}
    from websockets.asyncio.client import unix_connect

    connection = await unix_connect(
        str(broken.folder / "ws.sock"), "ws://localhost/ws/", origin="http://localhost",
        subprotocols=["parley.v1"], additional_headers=headers, compression=None,
    )  # fmt: skip
    async with ChatClient(Wss(connection)) as client:
        assert client.welcome["connection"] == HANDSHAKE
        await client.join(BODY)
        with pytest.raises(Refused) as refused:
            await client.request("read", room=BODY, seq=0)
        number = refused.value.frame["id"]
        assert refused.value.code == "internal"
        assert (
            refused.value.frame["text"] == f"The server made a mistake. It is logged as {HANDSHAKE}, command {number}."
        )
        await client.request("leave", room=BODY)  # the socket goes on
    (event,) = sentry.wait("event", request_id=HANDSHAKE)
    check(event, HANDSHAKE)
    assert event["tags"]["command"] == str(number)
    # One transaction a command, and none for the socket: hello, join, read, leave.
    sentry.wait("transaction", request_id=HANDSHAKE, command=str(number + 1))
    names = [each["transaction"] for each in sentry.items("transaction") if each["tags"]["request_id"] == HANDSHAKE]
    assert names == ["ws hello", "ws join", "ws read", "ws leave"]
    (line,) = [line for line in broken.lines() if line.get("request_id") == HANDSHAKE and line["level"] == "ERROR"]
    assert line["command"] == number
    assert "Mistake" in line["error"]
    assert len(sentry.wait("event", request_id=HANDSHAKE)) == 1
    nothing_private(sentry, cookie)


async def test_an_error_in_a_view_is_reported(stack: Stack, broken: Broken, sentry: Sentry):
    (cookie,) = stack.people("ann")
    csrf = "x" * 32
    transport = httpx.AsyncHTTPTransport(uds=str(broken.folder / "web.sock"))
    cookies = {"sessionid": cookie, "csrftoken": csrf}
    headers = {
        "X-Request-ID": REQUEST,
        "X-Forwarded-Proto": "https",
        "X-CSRFToken": csrf,
        "Origin": "https://localhost",
    }
    headers |= {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:
        answer = await client.post(f"/broken/{TOKEN}/?key={TOKEN}", data={"body": BODY}, headers=headers)
    assert answer.status_code == 500
    assert f"<code>{REQUEST}</code>" in answer.text
    (event,) = sentry.wait("event", request_id=REQUEST)
    check(event, REQUEST)
    assert event["transaction"] == "/broken/{token}/"
    assert event["request"] == {"method": "POST"}
    sentry.wait("transaction", request_id=REQUEST)
    assert len(sentry.wait("event", request_id=REQUEST)) == 1
    (line,) = [line for line in broken.lines() if line.get("request_id") == REQUEST and line["level"] == "ERROR"]
    assert line["logger"] == "django.request"
    nothing_private(sentry, cookie)


def test_an_error_in_a_management_command_is_reported(broken: Broken, sentry: Sentry):
    before = len(sentry.items("event"))
    assert broken.manage("break_down", TOKEN).returncode == 1
    with sentry.came:
        assert sentry.came.wait_for(lambda: len(sentry.items("event")) > before, timeout=20)
    (event,) = sentry.items("event")[before:]
    check(event, "")
    nothing_private(sentry)


def test_without_a_dsn_the_sdk_is_not_imported(stack: Stack):
    assert stack.run_python("import sys, config.asgi; print('sentry_sdk' in sys.modules)").strip() == "False"


def nothing_private(sentry: Sentry, *cookies: str) -> None:
    """In no byte that has left."""
    for secret in (BODY, TOKEN, "203.0.113.9", "Bearer", "sessionid", "csrftoken", os.fspath(REPO / "var"), *cookies):
        assert secret not in "".join(sentry.raw), secret
