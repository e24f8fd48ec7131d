"""Of sites other than Parley the doctor reports what it observes and what it cannot know: three that people run."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.bench import install
from loadtest.bench.contenders import socket_io
from loadtest.bench.contenders.channels_tutorial import SITE
from tests.doctor.channels_site import UnixServer
from tests.doctor.doctor_command import Diagnosis, Doctor
from tests.doctor.documented_nginx import DocumentedNginx
from tests.nginx.served import accepts, free_ports, until
from tests.running import Stack

# The script of the Channels tutorial's room.html.
TUTORIAL_ROOM = """<script>
const chatSocket = new WebSocket(
    'ws://' + window.location.host + '/ws/chat/' + roomName + '/'
);
</script>"""
FIXED_ROOM = TUTORIAL_ROOM.replace("'ws://'", "(location.protocol === 'https:' ? 'wss:' : 'ws:') + '//'")
SOCKET_IO = "/ws/socket.io/?EIO=4&transport=websocket"  # the benchmark's server has its WebSockets below /ws/

StartDocumentedNginx = Callable[..., DocumentedNginx]
Examine = Callable[..., Diagnosis]


@pytest.fixture
def start_documented_nginx(stack: Stack, tmp_path: Path) -> Iterator[StartDocumentedNginx]:
    started: list[DocumentedNginx] = []

    def start(server: str, **options: str) -> DocumentedNginx:
        folder = tmp_path / f"nginx{len(started)}"
        started.append(DocumentedNginx(folder, server, stack.folder / "var/tls", **options))
        return started[-1]

    yield start
    for nginx in started:
        nginx.stop()


@pytest.fixture
def examine(doctor: Doctor) -> Examine:
    """Runs the doctor at a site, from outside or on the host."""

    def run(site: DocumentedNginx, *options: str, page: str = "/", on_host: bool = False) -> Diagnosis:
        host = ["--host", "--nginx", site.command, "--log", str(site.log)] if on_host else []
        return doctor.run(site.url + page, "--address", "127.0.0.1", "--ca", str(site.ca), *host, *options)

    return run


@pytest.fixture(scope="module")
def channels(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tutorial's chat on daphne with its defaults; yields its address in nginx's notation."""
    command = [sys.executable, "-m", "daphne", f"{SITE}.asgi:application", "-u"]
    redis = f"unix://{stack.folder}/var/run/redis.sock"
    settings = {"DJANGO_SETTINGS_MODULE": f"{SITE}.settings", "TUTORIAL_LAYER": "core", "TUTORIAL_REDIS": redis}
    server = UnixServer(tmp_path_factory.mktemp("c"), "daphne", command, **settings)
    yield f"unix:{server.socket}"
    server.stop()


def test_the_channels_tutorial(start_documented_nginx: StartDocumentedNginx, channels: str, examine: Examine) -> None:
    site = start_documented_nginx(channels, page=FIXED_ROOM)
    found = examine(site, "--ws-path", "/ws/chat/lobby/", "--hold", "0.2", page="/chat/lobby/", on_host=True)
    assert (found.hop, found.exit_code) == (None, 0)
    assert found.hop_report("WebSocket")["note"].startswith("101 in")
    assert found.hop_report("426")["state"] == found.hop_report("chat")["state"] == "unknown"
    # The weak points of daphne's defaults and of the documented nginx, each with its line.
    assert set(found.warnings) == {"claims-are-passed-on", "short-read-timeout", "daphne-ends-sockets-daily"}
    assert "nginx.conf:" in found.warnings["short-read-timeout"]


def test_the_channels_tutorial_behind_tls_opens_ws(
    start_documented_nginx: StartDocumentedNginx, channels: str, examine: Examine
) -> None:
    found = examine(start_documented_nginx(channels, page=TUTORIAL_ROOM), page="/chat/lobby/")
    assert (found.hop, found.cause) == ("HTTP", "script-says-ws")
    assert "/chat/lobby/:3" in found.evidence


def test_10_the_channels_tutorial_opens_another_path(
    start_documented_nginx: StartDocumentedNginx, channels: str, examine: Examine
) -> None:
    found = examine(start_documented_nginx(channels, page=FIXED_ROOM), page="/chat/lobby/")
    assert (found.hop, found.cause) == ("WebSocket", "page-opens-another-path")
    assert "/ws/chat/…" in found.evidence


@pytest.fixture(scope="module")
def uvicorn(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    application = "tests.doctor.faulty_consumers:application"
    command = [sys.executable, "-m", "uvicorn", application, "--lifespan", "off", "--uds"]
    redis = f"unix://{stack.folder}/var/run/redis.sock"
    server = UnixServer(tmp_path_factory.mktemp("u"), "uvicorn", command, REDIS=redis)
    yield f"unix:{server.socket}"
    server.stop()


def test_uvicorn(start_documented_nginx: StartDocumentedNginx, uvicorn: str, examine: Examine) -> None:
    site = start_documented_nginx(uvicorn)
    found = examine(site, "--ws-path", "/ws/echo/", "--hold", "0.2", page="/chat/lobby/", on_host=True)
    assert (found.hop, found.exit_code) == (None, 0)
    assert {"any-origin-is-welcome", "short-read-timeout"} <= set(found.warnings)
    assert any(fact.startswith("uvicorn ") for fact in found.report["machine"]["facts"])


def test_2_uvicorn_without_the_upgrade(
    start_documented_nginx: StartDocumentedNginx, uvicorn: str, examine: Examine
) -> None:
    site = start_documented_nginx(uvicorn, upgrade="")
    path = ("--ws-path", "/ws/echo/")
    outside = examine(site, *path, page="/chat/lobby/")
    assert (outside.hop, outside.cause) == ("WebSocket", "answered-as-a-page")
    found = examine(site, *path, page="/chat/lobby/", on_host=True)
    assert (found.hop, found.cause) == ("WebSocket", "upgrade-is-not-forwarded")
    assert "nginx.conf:" in found.evidence


@pytest.fixture(scope="module")
def node(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Socket.IO 4 on Node.js; yields its address in nginx's notation."""
    packages = install.install_npm_packages(socket_io.HERE)
    assert isinstance(packages, Path), packages
    program = shutil.copy(
        socket_io.HERE / "server.mjs", packages / "doctor.mjs"
    )  # Node.js searches packages in its folder
    (port,) = free_ports(1)
    command = ["node", str(program), str(port), f"{stack.folder}/var/run/redis.sock"]
    with (tmp_path_factory.mktemp("n") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: accepts(port))
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_socket_io(start_documented_nginx: StartDocumentedNginx, node: str, examine: Examine) -> None:
    found = examine(
        start_documented_nginx(node), "--ws-path", SOCKET_IO, "--hold", "0.2", page="/chat/lobby/", on_host=True
    )
    assert (found.hop, found.exit_code) == (None, 0)
    assert found.hop_report("Channels")["note"] == "Socket.IO answers, and pings every 25 s"
    assert found.hop_report("hold")["state"] == "ok"
    assert "short-read-timeout" not in found.warnings  # it pings often enough for nginx's 60 s


def test_0_socket_io_is_asked_wrongly(
    start_documented_nginx: StartDocumentedNginx, node: str, examine: Examine
) -> None:
    found = examine(start_documented_nginx(node), "--ws-path", "/ws/socket.io/", page="/chat/lobby/")
    assert (found.hop, found.cause) == ("WebSocket", "socket-io-is-asked-wrongly")
    assert "Transport unknown" in found.evidence
