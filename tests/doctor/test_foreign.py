"""Of sites that are not ours it says what is true and of use, and what it cannot know: three that people really run."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.bench import install
from loadtest.bench.contenders import socket_io
from loadtest.bench.contenders.channels_tutorial import SITE
from tests.doctor.patient import Diagnosis, Doctor
from tests.doctor.plain import Plain
from tests.doctor.tutorial import Server
from tests.nginx.served import accepts, free_ports, until
from tests.running import Stack

# As the Channels tutorial's room.html and Socket.IO's own guide have it.
TUTORIALS_ROOM = """<script>
const chatSocket = new WebSocket(
    'ws://' + window.location.host + '/ws/chat/' + roomName + '/'
);
</script>"""
MENDED_ROOM = TUTORIALS_ROOM.replace("'ws://'", "(location.protocol === 'https:' ? 'wss:' : 'ws:') + '//'")
SOCKET_IO = "/ws/socket.io/?EIO=4&transport=websocket"  # the benchmark's server has its sockets below /ws/

Plainly = Callable[..., Plain]


@pytest.fixture
def plain(stack: Stack, tmp_path: Path) -> Iterator[Plainly]:
    started: list[Plain] = []

    def start(server: str, **options: str) -> Plain:
        started.append(Plain(tmp_path / f"plain{len(started)}", server, stack.folder / "var/tls", **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def asked(doctor: Doctor) -> Callable[..., Diagnosis]:
    def ask(site: Plain, *words: str, page: str = "/", inside: bool = False) -> Diagnosis:
        there = ["--host", "--nginx", site.command, "--log", str(site.log)] if inside else []
        return doctor.ask(site.url + page, "--address", "127.0.0.1", "--ca", str(site.ca), *there, *words)

    return ask


@pytest.fixture(scope="module")
def channels(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tutorial's chat on stock daphne; nginx's address for it."""
    words = [sys.executable, "-m", "daphne", f"{SITE}.asgi:application", "-u"]
    redis = f"unix://{stack.folder}/var/run/redis.sock"
    settings = {"DJANGO_SETTINGS_MODULE": f"{SITE}.settings", "TUTORIAL_LAYER": "core", "TUTORIAL_REDIS": redis}
    running = Server(tmp_path_factory.mktemp("c"), "daphne", words, **settings)
    yield f"unix:{running.socket}"
    running.end()


def test_the_channels_tutorial(plain: Plainly, channels: str, asked: Callable[..., Diagnosis]) -> None:
    site = plain(channels, page=MENDED_ROOM)
    found = asked(site, "--ws-path", "/ws/chat/lobby/", "--hold", "0.2", page="/chat/lobby/", inside=True)
    assert (found.hop, found.code) == (None, 0)
    assert found.of("WebSocket")["note"].startswith("101 in")
    assert found.of("426")["state"] == found.of("chat")["state"] == "unknown"
    # What stock daphne and the documented nginx leave to be wished for, with the line of it.
    assert set(found.warnings) == {"claims-are-passed-on", "short-read-timeout", "daphne-ends-sockets-daily"}
    assert "nginx.conf:" in found.warnings["short-read-timeout"]


def test_the_channels_tutorial_behind_tls_opens_ws(
    plain: Plainly, channels: str, asked: Callable[..., Diagnosis]
) -> None:
    found = asked(plain(channels, page=TUTORIALS_ROOM), page="/chat/lobby/")
    assert (found.hop, found.cause) == ("HTTP", "script-says-ws")
    assert "/chat/lobby/:3" in found.evidence


def test_10_the_channels_tutorial_has_its_sockets_elsewhere(
    plain: Plainly, channels: str, asked: Callable[..., Diagnosis]
) -> None:
    found = asked(plain(channels, page=MENDED_ROOM), page="/chat/lobby/")
    assert (found.hop, found.cause) == ("WebSocket", "page-opens-another-path")
    assert "/ws/chat/…" in found.evidence


@pytest.fixture(scope="module")
def uvicorn(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    words = [sys.executable, "-m", "uvicorn", "tests.doctor.mistakes:application", "--lifespan", "off", "--uds"]
    running = Server(tmp_path_factory.mktemp("u"), "uvicorn", words, REDIS=f"unix://{stack.folder}/var/run/redis.sock")
    yield f"unix:{running.socket}"
    running.end()


def test_uvicorn(plain: Plainly, uvicorn: str, asked: Callable[..., Diagnosis]) -> None:
    site = plain(uvicorn)
    found = asked(site, "--ws-path", "/ws/echo/", "--hold", "0.2", page="/chat/lobby/", inside=True)
    assert (found.hop, found.code) == (None, 0)
    assert {"any-origin-is-welcome", "short-read-timeout"} <= set(found.warnings)
    assert any(fact.startswith("uvicorn ") for fact in found.said["machine"]["facts"])


def test_2_uvicorn_without_the_upgrade(plain: Plainly, uvicorn: str, asked: Callable[..., Diagnosis]) -> None:
    site = plain(uvicorn, upgrade="")
    path = ("--ws-path", "/ws/echo/")
    outside = asked(site, *path, page="/chat/lobby/")
    assert (outside.hop, outside.cause) == ("WebSocket", "answered-as-a-page")
    found = asked(site, *path, page="/chat/lobby/", inside=True)
    assert (found.hop, found.cause) == ("WebSocket", "upgrade-is-not-forwarded")
    assert "nginx.conf:" in found.evidence


@pytest.fixture(scope="module")
def node(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Socket.IO 4 on Node.js."""
    place = install.install_npm_packages(socket_io.HERE)
    assert isinstance(place, Path), place
    program = shutil.copy(socket_io.HERE / "server.mjs", place / "doctor.mjs")  # Node looks for packages beside it
    (port,) = free_ports(1)
    words = ["node", str(program), str(port)]
    folder = tmp_path_factory.mktemp("n")
    with (folder / "log").open("wb") as said:
        running = subprocess.Popen([*words, f"{stack.folder}/var/run/redis.sock"], stdout=said, stderr=said)
    try:
        until(lambda: accepts(port))
        yield f"127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait()


def test_socket_io(plain: Plainly, node: str, asked: Callable[..., Diagnosis]) -> None:
    found = asked(plain(node), "--ws-path", SOCKET_IO, "--hold", "0.2", page="/chat/lobby/", inside=True)
    assert (found.hop, found.code) == (None, 0)
    assert found.of("Channels")["note"] == "Socket.IO answers, and pings every 25 s"
    assert found.of("hold")["state"] == "well"
    assert "short-read-timeout" not in found.warnings  # it pings often enough for nginx's 60 s


def test_0_socket_io_is_asked_wrongly(plain: Plainly, node: str, asked: Callable[..., Diagnosis]) -> None:
    found = asked(plain(node), "--ws-path", "/ws/socket.io/", page="/chat/lobby/")
    assert (found.hop, found.cause) == ("WebSocket", "socket-io-is-asked-wrongly")
    assert "Transport unknown" in found.evidence
