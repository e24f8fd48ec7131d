"""Rows of the catalogue that only a handshake shows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Server, Tutorial

UPGRADE = "proxy_set_header Upgrade $http_upgrade;"
CONNECTION = "proxy_set_header Connection $connection_upgrade;"
PASS = "proxy_pass http://$ws_servers;"


def test_2_upgrade_is_not_forwarded(front: Fronted, doctor: Doctor) -> None:
    wrong = front({"snippets/proxy-websocket.conf": [(UPGRADE, "")]})
    found = doctor(wrong)
    assert (found.hop, found.cause, found.code) == ("WebSocket", "upgrade-is-not-forwarded", 16)
    assert "sites/parley.conf:" in doctor.inside(wrong).evidence


def test_2_upgrade_is_not_forwarded_to_a_site_without_a_sentinel(
    front: Fronted, doctor: Doctor, tutorial: Tutorial
) -> None:
    wrong = front({"snippets/proxy-websocket.conf": [(UPGRADE, "")], **tutorial.edits})
    found = doctor(wrong, "--ws-path", "/ws/echo/")
    assert (found.hop, found.cause) == ("WebSocket", "answered-as-a-page")
    assert doctor.inside(wrong, "--ws-path", "/ws/echo/").cause == "upgrade-is-not-forwarded"


@pytest.mark.parametrize("instead", ["", 'proxy_set_header Connection "";'], ids=["missing", "keepalive"])
def test_3_connection_is_not_forwarded(front: Fronted, doctor: Doctor, instead: str) -> None:
    found = doctor(front({"snippets/proxy-websocket.conf": [(CONNECTION, instead)]}))
    assert (found.hop, found.cause) == ("WebSocket", "connection-is-not-forwarded")
    assert "400" in found.evidence


def test_28_app_service_without_web_sockets(front: Fronted, doctor: Doctor) -> None:
    azure = "add_header Set-Cookie 'ARRAffinity=0123; Path=/';"
    edits = {
        "snippets/proxy-websocket.conf": [(UPGRADE, ""), (CONNECTION, "")],
        "sites/parley.conf": [("proxy_pass http://$web_servers;", f"{azure} proxy_pass http://$web_servers;")],
    }
    found = doctor(front(edits))
    assert (found.hop, found.cause) == ("WebSocket", "app-service-without-web-sockets")


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    words = ["tests.doctor.mistakes:application", "--ws", "none", "--lifespan", "off", "--uds"]
    running = Server(tmp_path_factory.mktemp("u"), "uvicorn", [sys.executable, "-m", "uvicorn", *words])
    yield running
    running.end()


def test_38_a_server_without_websockets(front: Fronted, doctor: Doctor, uvicorn: Server) -> None:
    wrong = front({"sites/parley.conf": [(PASS, f"proxy_pass http://unix:{uvicorn.socket};")]})
    found = doctor(wrong, "--ws-path", "/ws/ours/")
    assert (found.hop, found.cause) == ("WebSocket", "server-without-websockets")
    found = doctor.inside(wrong, "--ws-path", "/ws/foreign/", "--log", str(uvicorn.log))
    assert (found.hop, found.cause) == ("WebSocket", "server-without-websockets")


def test_1_only_handshakes_go_to_gunicorn(front: Fronted, doctor: Doctor) -> None:
    fork = "set $to ws; if ($http_upgrade) { set $to web; } proxy_pass http://$to;"
    found = doctor(front({"sites/parley.conf": [(PASS, fork)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-goes-to-gunicorn")


def test_22_the_handshake_is_redirected(front: Fronted, doctor: Doctor) -> None:
    moved = "if ($http_upgrade) { return 301 https://www.example.org$request_uri; } " + PASS
    found = doctor(front({"sites/parley.conf": [(PASS, moved)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-is-redirected")
    assert "www.example.org" in found.evidence


def test_34_a_limit_of_handshakes_says_503(front: Fronted, doctor: Doctor) -> None:
    edits = {
        "sites/parley.conf": [(PASS, "if ($http_upgrade) { return 503; } " + PASS)],
        "snippets/error-pages.conf": [("error_page 429 502 503 504", "error_page 429 502 504")],
    }
    found = doctor(front(edits))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-limit-says-503")


def test_5_the_origin_is_refused(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", "/ws/origin/")
    assert (found.hop, found.cause) == ("WebSocket", "origin-is-refused")


def test_5_any_origin_is_welcome(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", "/ws/echo/")
    assert list(found.warnings) == ["any-origin-is-welcome"]


@pytest.mark.parametrize("path", ["/ws/slow/", "/ws/silent/"])
def test_6_the_application_is_slow_before_it_accepts(
    front: Fronted, doctor: Doctor, tutorial: Tutorial, path: str
) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", path, "--patience", "1")
    assert (found.hop, found.cause) == ("WebSocket", "slow-before-accept")


def test_0_something_makes_up_a_101(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    made_up = "if ($http_upgrade) { add_header Upgrade websocket; return 101; } " + PASS
    found = doctor(front({"sites/parley.conf": [(PASS, made_up)]}))
    assert (found.hop, found.cause) == ("WebSocket", "made-up-101")


def test_0_the_handshake_is_refused(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front({"sites/parley.conf": [(PASS, "if ($http_upgrade) { return 418; } " + PASS)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-is-refused")
    assert "418" in found.evidence
