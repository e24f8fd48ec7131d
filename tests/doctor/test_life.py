"""Rows of the catalogue for sockets that are open and silent."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Tutorial
from tests.running import Stack

ECHO = ("--ws-path", "/ws/echo/")


def test_26_nginx_cuts_the_idle_socket(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    hasty = front({"snippets/proxy-websocket.conf": [("proxy_read_timeout 1h", "proxy_read_timeout 1s")]})
    found = doctor.inside(hasty, "--hold", "5", cookie=f"sessionid={cookie}")
    assert (found.hop, found.cause, found.code) == ("hold", "proxy-cuts-idle-sockets", 20)
    assert "proxy_read_timeout 1s" in found.evidence
    assert "snippets/proxy-websocket.conf:" in found.evidence


def test_26_the_read_timeout_is_short(front: Fronted, doctor: Doctor) -> None:
    default = front({"snippets/proxy-websocket.conf": [("proxy_read_timeout 1h;", "")]})
    assert "proxy_read_timeout 30s" in doctor.inside(default).warnings["short-read-timeout"]  # of pages, then


def test_8_the_layers_read_times_out(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", "/ws/impatient/", "--hold", "10")
    assert (found.hop, found.cause) == ("hold", "layer-read-times-out")
    assert "1011" in found.evidence


def test_31_daphne_ends_sockets_daily(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor.inside(front(tutorial.edits), *ECHO)
    assert "86400 s" in found.warnings["daphne-ends-sockets-daily"]


class Forgetful:
    """Passes bytes on, until a connection was idle for a second; then it swallows them without a word."""

    IDLE = 1.0  # seconds

    def __init__(self, port: int) -> None:
        self.port = port
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listening.accept()
                threading.Thread(target=self.carry, args=(line,), daemon=True).start()

    def carry(self, line: socket.socket) -> None:
        with line, socket.create_connection(("127.0.0.1", self.port)) as other, contextlib.suppress(OSError):
            while ready := select.select([line, other], [], [], self.IDLE)[0]:
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    (other if one is line else line).sendall(data)
            while line.recv(65536):
                pass


@pytest.fixture
def forgetful(front: Fronted, tutorial: Tutorial) -> Iterator[tuple[str, str]]:
    """Its address, and the file of authorities."""
    behind = front(tutorial.edits)
    relay = Forgetful(behind.https_port)
    yield f"https://localhost:{relay.listening.getsockname()[1]}", str(behind.ca)
    relay.listening.close()


def test_27_the_idle_line_is_dead(doctor: Doctor, forgetful: tuple[str, str]) -> None:
    url, ca = forgetful
    found = doctor.ask(url, "--ca", ca, "--address", "127.0.0.1", *ECHO, "--hold", "1.3", "--patience", "1")
    assert (found.hop, found.cause) == ("hold", "idle-line-is-dead")
