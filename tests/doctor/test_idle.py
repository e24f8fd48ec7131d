"""Causes that end idle WebSockets, and how a WebSocket closes."""

import sys
from collections.abc import Iterator

import pytest

from tests.doctor.channels_site import ChannelsSite, UnixServer
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.network_fakes import Relay
from tests.running import Stack

ECHO = ("--ws-path", "/ws/echo/")


def test_26_nginx_cuts_the_idle_socket(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    short_timeout = start_nginx({"snippets/proxy-websocket.conf": [("proxy_read_timeout 1h", "proxy_read_timeout 1s")]})
    found = doctor.on_host(short_timeout, "--hold", "5", cookie=f"sessionid={cookie}")
    assert (found.hop, found.cause, found.exit_code) == ("hold", "proxy-cuts-idle-sockets", 20)
    assert "proxy_read_timeout 1s" in found.evidence
    assert "snippets/proxy-websocket.conf:" in found.evidence


def test_26_the_read_timeout_is_short(start_nginx: StartNginx, doctor: Doctor) -> None:
    default = start_nginx({"snippets/proxy-websocket.conf": [("proxy_read_timeout 1h;", "")]})
    assert (
        "proxy_read_timeout 30s" in doctor.on_host(default).warnings["short-read-timeout"]
    )  # inherited from that of pages


def test_8_the_layers_read_times_out(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/short-timeout/", "--hold", "10")
    assert (found.hop, found.cause) == ("hold", "layer-read-times-out")
    assert "1011" in found.evidence


def test_31_daphne_ends_sockets_daily(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor.on_host(start_nginx(channels_site.edits), *ECHO)
    assert "86400 s" in found.warnings["daphne-ends-sockets-daily"]


@pytest.fixture
def idle_relay(start_nginx: StartNginx, channels_site: ChannelsSite) -> Iterator[tuple[str, str]]:
    """The URL of a relay that drops idle connections, and the file of authorities to trust."""
    nginx = start_nginx(channels_site.edits)
    relay = Relay(nginx.https_port, idle_timeout=1)
    yield f"https://localhost:{relay.port}", str(nginx.ca)
    relay.stop()


def test_27_the_idle_line_is_dead(doctor: Doctor, idle_relay: tuple[str, str]) -> None:
    url, ca = idle_relay
    found = doctor.run(url, "--ca", ca, "--address", "127.0.0.1", *ECHO, "--hold", "1.3", "--timeout", "1")
    assert (found.hop, found.cause) == ("hold", "idle-line-is-dead")


def test_31_the_server_closes_by_the_clock(
    start_nginx: StartNginx, doctor: Doctor, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    application = "tests.doctor.faulty_consumers:application"
    command = [sys.executable, "-m", "daphne", "--websocket_timeout", "2", application, "-u"]
    redis = f"unix://{stack.folder}/var/run/redis.sock"
    server = UnixServer(tmp_path_factory.mktemp("h"), "daphne", command, REDIS=redis)
    try:
        edit = ("proxy_pass http://$ws_servers;", f"proxy_pass http://unix:{server.socket};")
        found = doctor(start_nginx({"sites/site.conf": [edit]}), *ECHO, "--hold", "5")
    finally:
        server.stop()
    assert (found.hop, found.cause) == ("hold", "server-closes-by-the-clock")
    assert "close 1000" in found.evidence


def test_0_the_close_is_not_answered(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    relay = Relay(str(channels_site.socket), cuts_close_frames=True)
    edit = ("proxy_pass http://$ws_servers;", f"proxy_pass http://127.0.0.1:{relay.port};")
    found = doctor(start_nginx({"sites/site.conf": [edit]}), *ECHO)
    relay.stop()
    assert (found.hop, found.cause, found.exit_code) == ("close", "close-is-not-answered", 21)
