"""channels_realtime.server under systemd, with slow readers and floods: real processes and a fake systemd socket."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels_realtime.frames import MAX_PENDING_BYTES
from tests.chat_client import ChatClient, Closed
from tests.running import REPO, Stack, Wss


class Server:
    """One channels_realtime.server on the stack's database, started by hand."""

    def __init__(self, stack: Stack, folder: Path, *arguments: str, listen: bool = True, **environment: str) -> None:
        self.stack, self.path, notify_path = stack, folder / "ws.sock", folder / "notify"
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(notify_path))
        self.systemd.settimeout(30)
        env = {
            **stack.settings_environment(),
            "NOTIFY_SOCKET": str(notify_path),
            "ALLOWED_HOSTS": "localhost",
            "SECRET_KEY": stack.secret_key(),
            **environment,
        }
        inherited = ()
        self.command = [sys.executable, "-m", "channels_realtime.server", *(arguments or ("--unix", str(self.path)))]
        if "--systemd" in arguments:
            # As on a host: start the release that the link `current` points to.
            self.current = folder / "current"
            self.current.symlink_to(REPO)
            self.command = [str(self.current / "deploy" / "run-in-release"), "channels_realtime.server", *arguments]
            # As systemd passes sockets: as file descriptor 3, with the pid of the process that they are meant for.
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(self.path))
            listening.listen(100)
            self.listening = listening  # as systemd does, also after the end of the process
            shell = f'exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=ws exec "$@"'
            self.command = ["bash", "-c", shell, "bash", *self.command]
            inherited = (listening.fileno(),)
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            self.command,
            cwd=REPO / "app",
            env=env,
            pass_fds=inherited,
            stdout=self.log,
            stderr=self.log,
            process_group=0,
        )

    def next_notification(self) -> str:
        """Return the next message to systemd."""
        return self.systemd.recv(4096).decode()

    async def open_websocket(self, **options: object) -> ClientConnection:
        """Open a WebSocket to this server."""
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(str(self.path))
        plain.setblocking(False)
        return await connect(
            "ws://localhost/ws/", sock=plain, origin="http://localhost", compression=None, max_size=None, **options
        )

    async def connect(self, cookie: str, **options: object) -> ChatClient:
        """Return a client of this server with this session; not open yet."""
        headers = {"Cookie": f"sessionid={cookie}"}
        connection = await self.open_websocket(subprotocols=["parley.v1"], additional_headers=headers, **options)
        return ChatClient(Wss(connection))

    async def get(self, path: str) -> httpx.Response:
        transport = httpx.AsyncHTTPTransport(uds=str(self.path))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as direct:
            return await direct.get(path)

    async def waiting_bytes(self) -> float:
        """Return the metric of the bytes that wait for slow readers."""
        metrics = (await self.get("/metrics")).text
        return float(
            next(line for line in metrics.splitlines() if line.startswith("channels_waiting_bytes")).split()[1]
        )

    def rss(self) -> int:
        """Return the resident memory of the process in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """Kill the process and its successor."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.systemd.close()
        if listening := getattr(self, "listening", None):
            listening.close()
        self.log.close()


@pytest.fixture
def serve(stack: Stack, tmp_path):
    servers = []

    def start(*arguments: str, **environment: str) -> Server:
        servers.append(Server(stack, tmp_path, *arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


async def test_the_server_notifies_systemd_when_it_is_ready_and_when_it_stops(stack: Stack, serve):
    server = serve(DRAIN_SECONDS="1")
    assert server.next_notification().startswith("READY=1\n")
    (cookie,) = stack.people("ann")
    async with await server.connect(cookie) as client:
        server.process.send_signal(signal.SIGTERM)
        assert await client.wait_closed() == 1012
    assert server.next_notification() == "STOPPING=1"
    assert server.process.wait(10) == 0


async def test_a_draining_server_refuses_handshakes_with_503_and_is_not_ready(stack: Stack, serve):
    server = serve(DRAIN_SECONDS="2")
    server.next_notification()
    cookies = stack.people("ann", "bob")
    async with await server.connect(cookies[0]), await server.connect(cookies[1]) as last:
        server.process.send_signal(signal.SIGTERM)
        assert server.next_notification() == "STOPPING=1"
        with pytest.raises(InvalidStatus) as refused:
            await server.connect(cookies[0])
        assert refused.value.response.status_code == 503
        assert (await server.get("/readyz")).status_code == 503
        assert await last.wait_closed() == 1012
    assert server.process.wait(10) == 0


async def test_the_server_exits_with_1_when_its_port_is_in_use(serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = serve("--tcp", f"127.0.0.1:{other.getsockname()[1]}")
        assert server.process.wait(30) == 1


async def test_the_server_serves_on_a_socket_inherited_from_systemd(stack: Stack, serve):
    server = serve("--systemd", "ws")
    assert server.next_notification().startswith("READY=1\n")
    (cookie,) = stack.people("ann")
    async with await server.connect(cookie) as client:
        assert client.welcome["user"]["name"] == "ann"
        assert (await client.join("inherited"))["head"] > 0


def test_a_socket_inherited_from_systemd_keeps_its_path_mode_and_backlog(serve):
    """Clients find the next process at the same path with the same permissions, and may wait for it there."""
    server = serve("--systemd", "ws")
    assert server.next_notification().startswith("READY=1\n")
    mode = server.path.stat().st_mode
    assert mode & 0o777 != 0o666
    assert backlog(server.path) == 4096
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert server.path.stat().st_mode == mode
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))  # waits for the next process


async def test_a_successor_is_ready_before_the_old_process_closes_its_sockets(stack: Stack, serve):
    server = serve("--systemd", "ws", DRAIN_SECONDS="2")
    assert server.next_notification().startswith("READY=1\n")
    cookies = stack.people("ann", "bob")
    async with await server.connect(cookies[0]) as first, await server.connect(cookies[1]) as last:
        server.process.send_signal(signal.SIGHUP)
        variable, _, successor = server.next_notification().partition("=")
        assert variable == "MAINPID"
        assert await first.wait_closed() == 1012
        for _ in range(20):
            assert (await server.get("/readyz")).status_code == 200  # not 503: only the successor accepts requests
        async with await server.connect(cookies[0]) as back:
            assert await last.wait_closed() == 1012
            assert server.process.wait(10) == 0
            server.systemd.setblocking(False)
            with pytest.raises(BlockingIOError):  # the unit does not stop
                server.next_notification()
            server.systemd.settimeout(30)
            os.kill(int(successor), signal.SIGTERM)
            assert await back.wait_closed() == 1012
            assert server.next_notification() == "STOPPING=1"


async def test_the_old_process_keeps_serving_when_its_successor_fails(stack: Stack, serve, tmp_path):
    server = serve("--systemd", "ws")
    assert server.next_notification().startswith("READY=1\n")
    (tmp_path / "broken" / "deploy").mkdir(parents=True)
    broken = tmp_path / "broken" / "deploy" / "run-in-release"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    server.current.unlink()
    server.current.symlink_to(tmp_path / "broken")
    (cookie,) = stack.people("ann")
    async with await server.connect(cookie) as client:
        server.process.send_signal(signal.SIGHUP)
        assert server.next_notification().endswith("ended before it was ready")
        await client.join("as-before")
    server.current.unlink()
    server.current.symlink_to(REPO)
    server.process.send_signal(signal.SIGHUP)  # the next successor may succeed
    assert server.next_notification().startswith("MAINPID=")


def backlog(path: Path) -> int:
    """Return how many clients may wait to be accepted at a listening unix socket."""
    shown = subprocess.run(["ss", "-Hxl", "src", str(path)], capture_output=True, text=True, check=True).stdout
    return int(shown.split()[3])


async def test_a_stuck_event_loop_stops_notifying_the_watchdog(serve):
    server = serve(WATCHDOG_USEC="600000")  # notified every 0.2 s
    assert server.next_notification().startswith("READY=1\n")
    for _ in range(3):
        assert server.next_notification() == "WATCHDOG=1"
    server.process.send_signal(signal.SIGSTOP)  # a stopped process has a stuck event loop
    server.systemd.settimeout(0.6)
    with contextlib.suppress(TimeoutError):
        server.next_notification()  # one may have been sent before
    with pytest.raises(TimeoutError):
        server.next_notification()
    server.process.send_signal(signal.SIGCONT)
    server.systemd.settimeout(30)
    assert server.next_notification() == "WATCHDOG=1"


async def test_a_slow_reader_is_closed_with_4508_and_resumes_without_loss(stack: Stack, serve):
    server = serve(SOCKET_RATE="100000", SOCKET_BURST="100000")
    server.next_notification()
    ann, ben = stack.people("ann", "ben")
    room, body = f"slow-{uuid4().hex[:6]}", "x" * 3900
    async with await server.connect(ann) as hers, await server.connect(ben) as fast:
        await hers.join(room)
        await fast.join(room)
        slow = await server.connect(ben)
        async with slow:
            await slow.join(room)
            slow._reader.cancel()  # the client stops reading
            slow.transport.connection.transport.pause_reading()
            sent, most_waiting, waiting = 0, 0, 0
            # Until the server has closed it and dropped what was pending.
            while waiting >= most_waiting or most_waiting < MAX_PENDING_BYTES // 2:
                most_waiting = max(most_waiting, waiting)
                for _ in range(10):
                    await hers.post(room, f"{sent} {body}")
                    sent += 1
                waiting = await server.waiting_bytes()
            assert most_waiting <= MAX_PENDING_BYTES
            await fast.wait_for_message(room, f"{sent - 1} {body}")  # other clients are not slowed down
            slow.transport.connection.transport.resume_reading()
            code, last = await read_to_the_end(slow)
            assert (code, last["type"], last["code"]) == (4508, "bye", 4508)
        async with await server.connect(ben) as back:
            await back.join(room)  # too far behind to resume: the newest messages, and the rest from the history
            while back.rooms[room].start:
                await back.load_older(room)
            assert back.rooms[room].visible == fast.rooms[room].visible


async def read_to_the_end(client: ChatClient) -> tuple[int, dict]:
    last = ""
    async with asyncio.timeout(30):
        while True:
            try:
                last = await client.transport.receive()
            except Closed as closed:
                return closed.code, json.loads(last)


async def test_a_flood_of_commands_does_not_fill_the_memory_of_the_server(stack: Stack, serve):
    """The server does not read a client faster than it answers: the client's own send blocks."""
    server = serve(SOCKET_RATE="0.1", SOCKET_BURST="100000")
    server.next_notification()
    (cookie,) = stack.people("flood")
    room = f"flood-{uuid4().hex[:6]}"
    async with await server.connect(cookie) as client:
        await client.join(room)
        before = server.rss()
        frame = json.dumps({"type": "history", "id": 1, "room": room})
        raw = client.transport.connection
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < 2:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await raw.send(frame)
                    sent += 1
        assert server.rss() - before < 16 << 20, f"{sent} frames were sent"
        async with await server.connect(cookie) as other:  # other clients are served
            await other.join(room)


async def test_a_drain_closes_the_sockets_of_any_consumer_with_1012(serve, tmp_path):
    server = serve(
        "--unix",
        str(tmp_path / "ws.sock"),
        "tests.stack.channels_echo:application",
        PYTHONPATH=str(REPO),
        DRAIN_SECONDS="0.5",
    )
    assert server.next_notification().startswith("READY=1")
    sockets = [await server.open_websocket() for _ in range(10)]
    for connection in sockets:
        await connection.send("hello")
        assert await connection.recv() == "hello"
    server.process.send_signal(signal.SIGTERM)
    for connection in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd.code == 1012
    assert server.process.wait(30) == 0


def test_the_variable_asgi_server_is_ignored_with_a_log_line(serve):
    server = serve(ASGI_SERVER="uvicorn")
    assert server.next_notification().startswith("READY=1")
    server.log.seek(0)
    assert "ASGI_SERVER=uvicorn is ignored: the server is daphne. Remove the variable." in server.log.read()
