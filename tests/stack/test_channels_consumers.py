"""channels_realtime.server with the consumers of a foreign project: every kind that Channels has, as it is."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stack.channels_project import CONSUMERS, SETTINGS
from tests.stack.guest import GuestProject, Program


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., GuestProject]]:
    """`make(PING_INTERVAL_SECONDS=1)` returns the project with these values in CHANNELS_REALTIME, and its Redis."""
    made: list[GuestProject] = []

    def make_project(**options: Any) -> GuestProject:
        folder = tmp_path / "guest"
        project = GuestProject(folder, SETTINGS.format(folder=folder, options=options))
        (folder / "consumers.py").write_text(CONSUMERS)
        project.start_redis()
        made.append(project)
        return project

    yield make_project
    for project in made:
        project.stop()


async def open_socket(server: Program, kind: str, **options: Any) -> ClientConnection:
    return await connect(f"ws://localhost:{server.address[1]}/{kind}/", compression=None, max_size=None, **options)


async def receive(connection: ClientConnection) -> Any:
    async with asyncio.timeout(15):
        return await connection.recv()


async def close_of(connection: ClientConnection) -> tuple[int, str]:
    """Return the code and the reason with which the server closes the connection."""
    async with asyncio.timeout(30):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await connection.recv()
    return (closed.value.rcvd.code, closed.value.rcvd.reason) if closed.value.rcvd else (1006, "")


async def read_metric(server: Program, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://localhost:{server.address[1]}/")).text
    return float(re.search(rf"^{re.escape(name)} (.*)$", text, re.MULTILINE)[1])


@pytest.mark.parametrize("kind", ["Echo", "SyncEcho"])
async def test_text_and_binary_messages_of_every_size_arrive_whole_and_in_order(make, kind):
    server = make().serve()
    messages = ["a", b"\x00\xff", "x" * 200, b"y" * 70_000, "é" * 60_000, "z" * 1_000_000, "last"]
    async with await open_socket(server, kind) as connection:
        for message in messages:
            await connection.send(message)
        assert [await receive(connection) for _ in messages] == messages
    assert await read_metric(server, "channels_frames_received_total") == len(messages)
    assert await read_metric(server, "channels_frames_sent_total") == len(messages)


async def test_a_message_above_the_limit_closes_with_1009(make):
    server = make(MAX_MESSAGE_BYTES=1000).serve()
    async with await open_socket(server, "Echo") as connection:
        await connection.send("x" * 1000)
        assert await receive(connection) == "x" * 1000
        await connection.send("x" * 1001)
        assert (await close_of(connection))[0] == 1009


async def test_a_drain_closes_the_sockets_of_every_kind_of_consumer_with_1012(make):
    server = make().serve()
    kinds = {"Echo": "text", "SyncEcho": "text", "JsonEcho": '{"a": 1}', "SyncJsonEcho": '{"a": 1}'}
    sockets = []
    for kind, text in kinds.items():
        sockets.append(await open_socket(server, kind))
        await sockets[-1].send(text)
        assert await receive(sockets[-1]) == text
    server.process.send_signal(signal.SIGTERM)
    assert [(await close_of(connection))[0] for connection in sockets] == [1012] * 4
    assert await asyncio.to_thread(server.process.wait, 20) == 0


async def test_a_consumer_has_time_to_handle_its_disconnect_in_a_drain(make):
    server = make().serve()
    connection = await open_socket(server, "SlowDisconnect")
    server.process.send_signal(signal.SIGTERM)
    assert (await close_of(connection))[0] == 1012
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert "disconnected with 1012" in server.log()


@pytest.mark.parametrize("kind", ["Hanging", "SyncHanging"])
async def test_a_consumer_that_hangs_in_its_disconnect_does_not_keep_the_process(make, kind):
    server = make().serve()
    connection = await open_socket(server, kind)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert (await close_of(connection))[0] == 1012
    assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert time.monotonic() - began < 12
    assert "Cancelling 1 applications that did not end in time" in server.log()


async def test_a_refused_handshake_is_answered_with_403_and_logged_with_its_reason(make):
    server = make().serve()
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(server, "Refusing")
    assert refused.value.response.status_code == 403
    assert "The application refused the WebSocket /Refusing/: code 4001, 'no ticket'" in server.log()
    assert await read_metric(server, 'channels_handshakes_total{result="refused"}') == 1


async def test_a_close_has_the_code_and_the_reason_of_the_consumer_and_comes_after_what_was_sent(make):
    server = make().serve()
    async with await open_socket(server, "Closing") as connection:
        await connection.send("100")  # 5 MB, more than the kernel takes at once
        assert [len(await receive(connection)) for _ in range(100)] == [50_000] * 100
        assert await close_of(connection) == (1013, "try later")
    assert await read_metric(server, 'channels_closes_total{code="1013"}') == 1


@pytest.mark.parametrize("code", [99, 1006, 5000, 70_000])
async def test_a_close_code_that_no_frame_may_have_becomes_1011(make, code):
    server = make().serve()
    async with await open_socket(server, "Closing") as connection:
        await connection.send(f"code {code}")
        assert (await close_of(connection))[0] == 1011


async def test_a_client_that_reads_nothing_is_closed_when_too_much_waits_for_it(make):
    server = make(MAX_UNSENT_BYTES=1_000_000).serve()
    async with await open_socket(server, "Echo") as connection:
        connection.transport.pause_reading()
        for _ in range(300):
            await connection.send("x" * 100_000)
            if "left 1000000 bytes unread" in server.log():
                break
        else:
            pytest.fail("the server holds everything")
        connection.transport.resume_reading()
        assert (await close_of(connection))[0] == 1013
    assert await read_metric(server, "channels_slow_readers_closed_total") == 1


async def test_a_silent_client_is_pinged_and_a_dead_one_is_closed(make):
    server = make(PING_INTERVAL_SECONDS=0.3).serve()
    async with await open_socket(server, "Echo", ping_interval=None) as alive:
        dead = await open_socket(server, "Echo", ping_interval=None)
        dead.transport.pause_reading()
        async with asyncio.timeout(10):
            while await read_metric(server, "channels_sockets_open") != 1:
                await asyncio.sleep(0.05)
        await alive.send("still here")
        assert await receive(alive) == "still here"
    assert "The client of the WebSocket /Echo/ is gone: it answers no pings" in server.log()


async def test_sockets_stay_open_and_in_their_groups_while_redis_restarts(make):
    project = make()
    servers = [project.serve(), project.serve()]
    worker = project.start(sys.executable, "-m", "django", "runworker", "work")
    sockets = [await open_socket(server, kind) for server in servers for kind in ("Group", "SyncGroup")]
    first, last = sockets[0], sockets[-1]
    await first.send("before")
    assert [await receive(connection) for connection in sockets] == ["before"] * 4
    await first.send("work 1")
    assert await receive(first) == "work 1 done"
    redis = project.programs[0]
    redis.kill()
    await first.send("during")
    await last.send("by a thread")
    redis.start()
    for connection in sockets:
        assert sorted([await receive(connection), await receive(connection)]) == ["by a thread", "during"]
    await first.send("work 2")
    assert await receive(first) == "work 2 done"
    assert worker.process.poll() is None


async def test_a_server_hands_over_to_its_successor_on_a_socket_of_systemd(make):
    """No script of a release starts it: the server starts its successor by itself."""
    project = make()
    path = str(project.folder / "ws.sock")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        listening.bind(path)
        listening.listen(100)
        systemd.bind(str(project.folder / "notify"))
        systemd.settimeout(30)
        process = start_as_systemd(project, listening)
        try:
            assert (await asyncio.to_thread(systemd.recv, 4096)).startswith(b"READY=1")
            before = await open_unix_socket(path)
            process.send_signal(signal.SIGHUP)
            variable, _, successor = (await asyncio.to_thread(systemd.recv, 4096)).decode().partition("=")
            assert (variable, int(successor) != process.pid) == ("MAINPID", True)
            assert (await close_of(before))[0] == 1012
            after = await open_unix_socket(path)
            assert await asyncio.to_thread(process.wait, 20) == 0
            await after.send("served by the successor")
            assert await receive(after) == "served by the successor"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start_as_systemd(project: GuestProject, listening: socket.socket) -> subprocess.Popen[bytes]:
    # As systemd passes sockets: as file descriptor 3, with the pid of the process that they are meant for.
    shell = f'exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=ws exec "$@"'
    return subprocess.Popen(
        ["bash", "-c", shell, "bash", sys.executable, "-m", "channels_realtime.server", "--systemd", "ws"],
        cwd=project.folder,
        env={**project.environment, "NOTIFY_SOCKET": str(project.folder / "notify")},
        pass_fds=[listening.fileno()],
        process_group=0,
    )


async def open_unix_socket(path: str) -> ClientConnection:
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(path)
    plain.setblocking(False)
    return await connect("ws://localhost/Echo/", sock=plain, compression=None)


# --- The command line


def run_server(project: GuestProject, *arguments: str, **environment: str) -> str:
    """Run a server that does not start. Returns the last line of its output."""
    done = subprocess.run(
        [sys.executable, "-m", "channels_realtime.server", *arguments],
        cwd=project.folder,
        env={**project.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr.splitlines()[-1].partition("error: ")[2]


def test_a_wrong_application_or_setting_is_one_clear_line(make):
    project = make(MAX_MESSAGE_BYTS=1)
    listen = ("--tcp", "127.0.0.1:0")
    assert run_server(project, *listen).startswith("CHANNELS_REALTIME has no key 'MAX_MESSAGE_BYTS'; it may have ")
    assert run_server(project, *listen, "nowhere:application") == (
        "there is no module 'nowhere': 'nowhere:application' must be MODULE:ATTRIBUTE"
    )
    assert run_server(project, *listen, "consumers:app").startswith("'consumers:app' is no ASGI application: ")
    assert run_server(project, *listen, DJANGO_SETTINGS_MODULE="") == (
        "name the ASGI application, MODULE:ATTRIBUTE, or set DJANGO_SETTINGS_MODULE"
    )
    assert run_server(project).startswith("say where to listen")


def test_the_log_of_a_foreign_project_names_no_chat(make):
    server = make().serve()
    with socket.create_connection(server.address):
        server.kill(signal.SIGTERM)
    words = json.dumps(server.log()).lower()
    assert "chat" not in words
    assert "room" not in words
