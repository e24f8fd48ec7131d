"""Rows of the catalogue for sockets that are open and silent."""

import sys
from collections.abc import Iterator

import pytest

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.relay import Relay
from tests.doctor.tutorial import Server, Tutorial
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


@pytest.fixture
def forgetful(front: Fronted, tutorial: Tutorial) -> Iterator[tuple[str, str]]:
    """Its address, and the file of authorities."""
    behind = front(tutorial.edits)
    relay = Relay(behind.https_port, idle=1)
    yield f"https://localhost:{relay.port}", str(behind.ca)
    relay.end()


def test_27_the_idle_line_is_dead(doctor: Doctor, forgetful: tuple[str, str]) -> None:
    url, ca = forgetful
    found = doctor.ask(url, "--ca", ca, "--address", "127.0.0.1", *ECHO, "--hold", "1.3", "--patience", "1")
    assert (found.hop, found.cause) == ("hold", "idle-line-is-dead")


def test_31_the_server_closes_by_the_clock(
    front: Fronted, doctor: Doctor, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = [sys.executable, "-m", "daphne", "--websocket_timeout", "2", "tests.doctor.mistakes:application", "-u"]
    hasty = Server(tmp_path_factory.mktemp("h"), "daphne", words, REDIS=f"unix://{stack.folder}/var/run/redis.sock")
    try:
        to_it = ("proxy_pass http://$ws_servers;", f"proxy_pass http://unix:{hasty.socket};")
        found = doctor(front({"sites/parley.conf": [to_it]}), *ECHO, "--hold", "5")
    finally:
        hasty.end()
    assert (found.hop, found.cause) == ("hold", "server-closes-by-the-clock")
    assert "close 1000" in found.evidence


def test_0_the_close_is_not_answered(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    rude = Relay(str(tutorial.socket), rude=True)
    to_it = ("proxy_pass http://$ws_servers;", f"proxy_pass http://127.0.0.1:{rude.port};")
    found = doctor(front({"sites/parley.conf": [to_it]}), *ECHO)
    rude.end()
    assert (found.hop, found.cause, found.code) == ("close", "close-is-not-answered", 21)
