"""Causes that only a handshake shows."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.channels_site import ChannelsSite, UnixServer
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.edited_nginx import APPLICATION_REFUSES

UPGRADE = "proxy_set_header Upgrade $http_upgrade;"
CONNECTION = "proxy_set_header Connection $connection_upgrade;"
PASS = "proxy_pass http://$ws_servers;"


def test_2_upgrade_is_not_forwarded(start_nginx: StartNginx, doctor: Doctor) -> None:
    wrong = start_nginx({"snippets/proxy-websocket.conf": [(UPGRADE, "")]})
    found = doctor(wrong)
    assert (found.hop, found.cause, found.exit_code) == ("WebSocket", "upgrade-is-not-forwarded", 16)
    assert "sites/site.conf:" in doctor.on_host(wrong).evidence


def test_2_upgrade_is_not_forwarded_to_a_site_without_the_upgrade_probe(
    start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite
) -> None:
    wrong = start_nginx({"snippets/proxy-websocket.conf": [(UPGRADE, "")], **channels_site.edits})
    found = doctor(wrong, "--ws-path", "/ws/echo/")
    assert (found.hop, found.cause) == ("WebSocket", "answered-as-a-page")
    assert doctor.on_host(wrong, "--ws-path", "/ws/echo/").cause == "upgrade-is-not-forwarded"


@pytest.mark.parametrize("instead", ["", 'proxy_set_header Connection "";'], ids=["missing", "keepalive"])
def test_3_connection_is_not_forwarded(start_nginx: StartNginx, doctor: Doctor, instead: str) -> None:
    found = doctor(start_nginx({"snippets/proxy-websocket.conf": [(CONNECTION, instead)]}))
    assert (found.hop, found.cause) == ("WebSocket", "connection-is-not-forwarded")
    assert "400" in found.evidence


def test_28_app_service_without_web_sockets(start_nginx: StartNginx, doctor: Doctor) -> None:
    azure = "add_header Set-Cookie 'ARRAffinity=0123; Path=/';"
    edits = {
        "snippets/proxy-websocket.conf": [(UPGRADE, ""), (CONNECTION, "")],
        "sites/site.conf": [("proxy_pass http://$web_servers;", f"{azure} proxy_pass http://$web_servers;")],
    }
    found = doctor(start_nginx(edits))
    assert (found.hop, found.cause) == ("WebSocket", "app-service-without-web-sockets")


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnixServer]:
    arguments = ["tests.doctor.faulty_consumers:application", "--ws", "none", "--lifespan", "off", "--uds"]
    server = UnixServer(tmp_path_factory.mktemp("u"), "uvicorn", [sys.executable, "-m", "uvicorn", *arguments])
    yield server
    server.stop()


def test_38_a_server_without_websockets(start_nginx: StartNginx, doctor: Doctor, uvicorn: UnixServer) -> None:
    wrong = start_nginx({"sites/site.conf": [(PASS, f"proxy_pass http://unix:{uvicorn.socket};")]})
    found = doctor(wrong, "--ws-path", "/ws/parley/")
    assert (found.hop, found.cause) == ("WebSocket", "server-without-websockets")
    found = doctor.on_host(wrong, "--ws-path", "/ws/foreign/", "--log", str(uvicorn.log))
    assert (found.hop, found.cause) == ("WebSocket", "server-without-websockets")


def test_1_only_handshakes_go_to_gunicorn(start_nginx: StartNginx, doctor: Doctor) -> None:
    fork = "set $to ws; if ($http_upgrade) { set $to web; } proxy_pass http://$to;"
    found = doctor(start_nginx({"sites/site.conf": [(PASS, fork)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-goes-to-gunicorn")


def test_22_the_handshake_is_redirected(start_nginx: StartNginx, doctor: Doctor) -> None:
    moved = "if ($http_upgrade) { return 301 https://www.example.org$request_uri; } " + PASS
    found = doctor(start_nginx({"sites/site.conf": [(PASS, moved)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-is-redirected")
    assert "www.example.org" in found.evidence


def test_34_a_limit_of_handshakes_says_503(start_nginx: StartNginx, doctor: Doctor) -> None:
    edits = {
        "sites/site.conf": [(PASS, "if ($http_upgrade) { return 503; } " + PASS)],
        "snippets/error-pages.conf": [("error_page 429 502 503 504", "error_page 429 502 504")],
    }
    found = doctor(start_nginx(edits))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-limit-says-503")


def test_5_the_origin_is_refused(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/origin/")
    assert (found.hop, found.cause) == ("WebSocket", "origin-is-refused")


def test_0_the_application_refuses_the_visitor(start_nginx: StartNginx, doctor: Doctor) -> None:
    nginx = start_nginx({"sites/site.conf": [(PASS, APPLICATION_REFUSES + PASS)]})
    found = doctor.on_host(nginx, "--hold", "1", "--frame", "9")
    assert (found.hop, found.exit_code) == (None, 0)
    assert found.warnings["visitor-is-refused"].strip() == (
        "handshake at /ws/: 403 Forbidden, by the application, without a cookie"
    )
    states = {hop["hop"]: hop["state"] for hop in found.report["hops"]}
    assert {states[title] for title in ("WebSocket", "Channels", "hold", "close")} == {"unknown"}
    assert states["layer"] == "ok"
    drawn = doctor.draw(nginx)
    assert "No hop is broken; not known: WebSocket" in drawn
    assert "The WebSocket works" not in drawn


def test_5_any_origin_is_welcome(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/echo/")
    assert list(found.warnings) == ["any-origin-is-welcome"]


@pytest.mark.parametrize("path", ["/ws/slow/", "/ws/silent/"])
def test_6_the_application_is_slow_before_it_accepts(
    start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite, path: str
) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", path, "--timeout", "1")
    assert (found.hop, found.cause) == ("WebSocket", "slow-before-accept")


def test_0_something_makes_up_a_101(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    made_up = "if ($http_upgrade) { add_header Upgrade websocket; return 101; } " + PASS
    found = doctor(start_nginx({"sites/site.conf": [(PASS, made_up)]}))
    assert (found.hop, found.cause) == ("WebSocket", "made-up-101")


def test_0_the_handshake_is_refused(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx({"sites/site.conf": [(PASS, "if ($http_upgrade) { return 418; } " + PASS)]}))
    assert (found.hop, found.cause) == ("WebSocket", "handshake-is-refused")
    assert "418" in found.evidence


HANDSHAKE = "--ws-path=/ws/strict/ --subprotocol=feed.v2 --origin=https://pages.example --cookie='sessionid=a b'"


def test_the_described_handshake_opens_a_socket_that_accepts_no_other(
    start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    nginx = start_nginx(channels_site.edits)
    monkeypatch.setenv("DOCTOR_OPTIONS", HANDSHAKE)
    found = doctor.on_host(nginx)
    assert found.hop is None, found.cause
    assert set(found.report["machine"]["handshakes"].values()) == {"101 Switching Protocols"}
    assert "any-origin-is-welcome" not in found.warnings
    assert "a b" not in str(found.report)


@pytest.mark.parametrize(
    "left_out", ["--subprotocol=feed.v2", "--origin=https://pages.example", "--cookie='sessionid=a b'"]
)
def test_each_part_of_the_described_handshake_has_an_effect(
    start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    monkeypatch.setenv("DOCTOR_OPTIONS", HANDSHAKE.replace(left_out, ""))
    assert doctor(start_nginx(channels_site.edits)).cause == "origin-is-refused"


def test_0_the_subprotocol_is_not_chosen(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/echo/", "--subprotocol", "feed.v2")
    assert (found.hop, found.cause) == ("WebSocket", "subprotocol-is-not-chosen")
    assert "feed.v2 was offered, and the 101 names none" in found.evidence
