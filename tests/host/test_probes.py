"""What is asked of a release before it serves, and which answers are those of one that works."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from deploy.probes import Expectation, find_failure, read_probes
from tests.host.sites import REPO

HOST = "chat.example.org"


class Answers(BaseHTTPRequestHandler):
    """/ and /ok work, /room/ fails, /guarded/ is refused by its consumer, and a handshake needs nginx's headers."""

    def do_GET(self) -> None:
        is_forwarded = self.headers["Host"] == HOST and self.headers["X-Forwarded-Proto"] == "https"
        is_handshake = self.headers["Upgrade"] == "websocket" and self.headers["Origin"] == f"https://{HOST}"
        status = {"/": 302, "/ok": 200, "/room/": 500, "/guarded/": 403, "/refused/": 403}.get(self.path, 404)
        if self.path == "/ws/" and is_handshake:
            status = 101
        self.send_response(status if is_forwarded else 400)
        if self.path == "/guarded/":
            self.send_header("X-Refused-By", "application")
        self.end_headers()

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "server.sock"
    with UnixStreamServer(str(path), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("probe", "failure"),
    [
        (Expectation("/"), None),
        (Expectation("/", 200), "the probe / is answered by 302, not 200"),
        (Expectation("/ok", 200), None),
        (Expectation("/room/"), "the probe /room/ is answered by 500, not a status below 500"),
        (Expectation("/ws/", is_handshake=True), None),
        (Expectation("/ws/", 101, is_handshake=True), None),
        (Expectation("/guarded/", is_handshake=True), None),
        (Expectation("/guarded/", 101, is_handshake=True), "the probe /guarded/ is answered by 403, not 101"),
        (Expectation("/refused/", is_handshake=True), "the probe /refused/ is answered by 403, not 101"),
    ],
)
def test_an_answer_is_judged(server: Path, probe: Expectation, failure: str | None) -> None:
    assert find_failure([probe], server, server, HOST) == failure


def test_a_server_that_is_not_there_fails_its_probe(tmp_path: Path) -> None:
    missing = tmp_path / "missing.sock"
    failure = find_failure([Expectation("/")], missing, missing, HOST)
    assert failure
    assert failure.startswith("the probe / gets no answer: FileNotFoundError")


def test_a_release_without_the_field_is_asked_for_its_first_page_and_a_socket(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text(json.dumps({"home": "/chat/", "probe": "/ws/lobby/"}))
    assert read_probes(tmp_path) == [Expectation("/chat/"), Expectation("/ws/lobby/", is_handshake=True)]


def test_the_field_says_what_a_release_is_asked_for(tmp_path: Path) -> None:
    probes = ["/", {"path": "/api/", "status": 401}, {"path": "/ws/", "status": 101}]
    (tmp_path / "site.json").write_text(json.dumps({"probes": probes}))
    assert read_probes(tmp_path) == [
        Expectation("/", 200),
        Expectation("/api/", 401),
        Expectation("/ws/", 101, is_handshake=True),
    ]


def test_the_chat_is_asked_for_a_socket() -> None:
    assert any(probe.is_handshake for probe in read_probes(REPO))
