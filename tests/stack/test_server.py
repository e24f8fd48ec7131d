"""realtime.server under systemd's rules, slow readers and floods. Real processes; systemd is played by a socket."""

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

from realtime.frames import MAX_PENDING_BYTES
from tests.running import REPO, Stack, Wss
from tests.tab import Closed, Tab


class Server:
    """One realtime.server on the stack's database, started by hand."""

    def __init__(self, stack: Stack, folder: Path, *arguments: str, listen: bool = True, **environment: str) -> None:
        self.stack, self.path, self.notes = stack, folder / "ws.sock", folder / "notify"
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(self.notes))
        self.systemd.settimeout(30)
        env = {
            **stack.settings_environment(),
            "NOTIFY_SOCKET": str(self.notes),
            "ALLOWED_HOSTS": "localhost",
            "SECRET_KEY": stack.secret_key(),
            **environment,
        }
        inherited = ()
        self.command = [sys.executable, "-m", "realtime.server", *(arguments or ("--unix", str(self.path)))]
        if "--systemd" in arguments:
            # As on a host: by the release that `current` leads to.
            self.current = folder / "current"
            self.current.symlink_to(REPO)
            self.command = [str(self.current / "deploy" / "run-in-release"), "realtime.server", *arguments]
            # As systemd passes sockets: number 3, and the pid of whom they are meant for.
            held = socket.socket(socket.AF_UNIX)
            held.bind(str(self.path))
            held.listen(100)
            self.held = held  # as systemd does, beyond the end of the process
            shell = f'exec 3<&{held.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=ws exec "$@"'
            self.command = ["bash", "-c", shell, "bash", *self.command]
            inherited = (held.fileno(),)
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

    def note(self) -> str:
        """The next word to systemd."""
        return self.systemd.recv(4096).decode()

    async def connect(self, **options: object) -> ClientConnection:
        """Open a WebSocket."""
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(str(self.path))
        plain.setblocking(False)
        return await connect(
            "ws://localhost/ws/", sock=plain, origin="http://localhost", compression=None, max_size=None, **options
        )

    async def tab(self, cookie: str, **options: object) -> Tab:
        headers = {"Cookie": f"sessionid={cookie}"}
        connection = await self.connect(subprotocols=["parley.v1"], additional_headers=headers, **options)
        return Tab(Wss(connection), patience=30)

    async def get(self, path: str) -> httpx.Response:
        transport = httpx.AsyncHTTPTransport(uds=str(self.path))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as direct:
            return await direct.get(path)

    async def waiting_bytes(self) -> float:
        metrics = (await self.get("/metrics")).text
        return float(next(line for line in metrics.splitlines() if line.startswith("parley_waiting_bytes")).split()[1])

    def rss(self) -> int:
        """Bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its successor, too
        self.process.wait()
        self.systemd.close()
        if held := getattr(self, "held", None):
            held.close()
        self.log.close()


@pytest.fixture
def serve(stack: Stack, tmp_path):
    servers = []

    def start(*arguments: str, **environment: str) -> Server:
        servers.append(Server(stack, tmp_path, *arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


async def test_ready_when_listening_and_stopping_when_asked(stack: Stack, serve):
    server = serve(DRAIN_SECONDS="1")
    assert server.note().startswith("READY=1\n")
    (cookie,) = stack.people("ann")
    async with await server.tab(cookie) as tab:
        server.process.send_signal(signal.SIGTERM)
        assert await tab.end() == 1012
    assert server.note() == "STOPPING=1"
    assert server.process.wait(10) == 0


async def test_who_comes_while_it_leaves_is_sent_to_the_next_server(stack: Stack, serve):
    server = serve(DRAIN_SECONDS="2")
    server.note()
    cookies = stack.people("ann", "bob")
    async with await server.tab(cookies[0]), await server.tab(cookies[1]) as last:
        server.process.send_signal(signal.SIGTERM)
        assert server.note() == "STOPPING=1"
        with pytest.raises(InvalidStatus) as refused:
            await server.tab(cookies[0])
        assert refused.value.response.status_code == 503
        assert (await server.get("/readyz")).status_code == 503
        assert await last.end() == 1012
    assert server.process.wait(10) == 0


async def test_a_place_that_is_taken_is_a_failure_not_a_silent_end(serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = serve("--tcp", f"127.0.0.1:{other.getsockname()[1]}")
        assert server.process.wait(30) == 1


async def test_sockets_inherited_from_systemd_serve(stack: Stack, serve):
    server = serve("--systemd", "ws")
    assert server.note().startswith("READY=1\n")
    (cookie,) = stack.people("ann")
    async with await server.tab(cookie) as tab:
        assert tab.welcome["user"]["name"] == "ann"
        assert (await tab.join("inherited"))["head"] > 0


def test_the_sockets_of_systemd_stay_as_they_are(serve):
    """The next process is found by the same name, by whom systemd lets in, and as many may wait for it."""
    server = serve("--systemd", "ws")
    assert server.note().startswith("READY=1\n")
    mode = server.path.stat().st_mode
    assert mode & 0o777 != 0o666
    assert waiting_room(server.path) == 4096
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert server.path.stat().st_mode == mode
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.connect(str(server.path))  # waits there for the process that comes next


async def test_a_successor_is_ready_before_anybody_has_to_leave(stack: Stack, serve):
    server = serve("--systemd", "ws", DRAIN_SECONDS="2")
    assert server.note().startswith("READY=1\n")
    cookies = stack.people("ann", "bob")
    async with await server.tab(cookies[0]) as first, await server.tab(cookies[1]) as last:
        server.process.send_signal(signal.SIGHUP)
        word, _, successor = server.note().partition("=")
        assert word == "MAINPID"
        assert await first.end() == 1012
        for _ in range(20):
            assert (await server.get("/readyz")).status_code == 200  # not 503: who leaves is asked by nobody any more
        async with await server.tab(cookies[0]) as back:
            assert await last.end() == 1012
            assert server.process.wait(10) == 0
            server.systemd.setblocking(False)
            with pytest.raises(BlockingIOError):  # the unit does not stop
                server.note()
            server.systemd.settimeout(30)
            os.kill(int(successor), signal.SIGTERM)
            assert await back.end() == 1012
            assert server.note() == "STOPPING=1"


async def test_a_successor_that_fails_changes_nothing(stack: Stack, serve, tmp_path):
    server = serve("--systemd", "ws")
    assert server.note().startswith("READY=1\n")
    (tmp_path / "broken" / "deploy").mkdir(parents=True)
    broken = tmp_path / "broken" / "deploy" / "run-in-release"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    server.current.unlink()
    server.current.symlink_to(tmp_path / "broken")
    (cookie,) = stack.people("ann")
    async with await server.tab(cookie) as tab:
        server.process.send_signal(signal.SIGHUP)
        assert server.note().endswith("ended before it was ready")
        await tab.join("as-before")
    server.current.unlink()
    server.current.symlink_to(REPO)
    server.process.send_signal(signal.SIGHUP)  # and the next one may succeed
    assert server.note().startswith("MAINPID=")


def waiting_room(path: Path) -> int:
    """How many clients may wait at a listening unix socket."""
    shown = subprocess.run(["ss", "-Hxl", "src", str(path)], capture_output=True, text=True, check=True).stdout
    return int(shown.split()[3])


async def test_a_stuck_loop_stops_feeding_the_watchdog(serve):
    server = serve(WATCHDOG_USEC="600000")  # fed every 0.2 s
    assert server.note().startswith("READY=1\n")
    for _ in range(3):
        assert server.note() == "WATCHDOG=1"
    server.process.send_signal(signal.SIGSTOP)  # no loop is stuck more than this
    server.systemd.settimeout(0.6)
    with contextlib.suppress(TimeoutError):
        server.note()  # one may have been on its way
    with pytest.raises(TimeoutError):
        server.note()
    server.process.send_signal(signal.SIGCONT)
    server.systemd.settimeout(30)
    assert server.note() == "WATCHDOG=1"


async def test_a_slow_reader_is_closed_with_4508_and_resumes_without_loss(stack: Stack, serve):
    server = serve(SOCKET_RATE="100000", SOCKET_BURST="100000")
    server.note()
    ann, ben = stack.people("ann", "ben")
    room, body = f"slow-{uuid4().hex[:6]}", "x" * 3900
    async with await server.tab(ann) as hers, await server.tab(ben) as fast:
        await hers.join(room)
        await fast.join(room)
        slow = await server.tab(ben)
        async with slow:
            await slow.join(room)
            slow._reader.cancel()  # reads no more
            slow.transport.connection.transport.pause_reading()
            sent, most, waiting = 0, 0, 0
            # Until the server has closed it and dropped what was pending.
            while waiting >= most or most < MAX_PENDING_BYTES // 2:
                most = max(most, waiting)
                for _ in range(10):
                    await hers.post(room, f"{sent} {body}")
                    sent += 1
                waiting = await server.waiting_bytes()
            assert most <= MAX_PENDING_BYTES
            await fast.hears(room, f"{sent - 1} {body}")  # others are not slowed
            slow.transport.connection.transport.resume_reading()
            code, last = await read_to_the_end(slow)
            assert (code, last["type"], last["code"]) == (4508, "bye", 4508)
        async with await server.tab(ben) as back:
            await back.join(room)  # far behind: the newest page, and the rest by scrolling
            while back.rooms[room].start:
                await back.older(room)
            assert back.rooms[room].visible == fast.rooms[room].visible


async def read_to_the_end(tab: Tab) -> tuple[int, dict]:
    last = ""
    async with asyncio.timeout(30):
        while True:
            try:
                last = await tab.transport.receive()
            except Closed as closed:
                return closed.code, json.loads(last)


async def test_a_flood_is_not_swallowed(stack: Stack, serve):
    """A client that sends without end is not read faster than it is answered: its own send blocks."""
    server = serve(SOCKET_RATE="0.1", SOCKET_BURST="100000")
    server.note()
    (cookie,) = stack.people("flood")
    room = f"flood-{uuid4().hex[:6]}"
    async with await server.tab(cookie) as tab:
        await tab.join(room)
        before = server.rss()
        frame = json.dumps({"type": "history", "id": 1, "room": room})
        raw = tab.transport.connection
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < 2:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await raw.send(frame)
                    sent += 1
        assert server.rss() - before < 16 << 20, f"{sent} frames were taken in"
        async with await server.tab(cookie) as other:  # and others are served
            await other.join(room)


async def test_a_drain_closes_the_sockets_of_any_consumer_with_1012(serve, tmp_path):
    server = serve(
        "--unix",
        str(tmp_path / "ws.sock"),
        "tests.stack.channels_echo:application",
        PYTHONPATH=str(REPO),
        DRAIN_SECONDS="0.5",
    )
    assert server.note().startswith("READY=1")
    sockets = [await server.connect() for _ in range(10)]
    for connection in sockets:
        await connection.send("hello")
        assert await connection.recv() == "hello"
    server.process.send_signal(signal.SIGTERM)
    for connection in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd.code == 1012
    assert server.process.wait(30) == 0


def test_asgi_server_is_ignored_and_the_log_says_so(serve):
    server = serve(ASGI_SERVER="uvicorn")
    assert server.note().startswith("READY=1")
    server.log.seek(0)
    assert "ASGI_SERVER=uvicorn is ignored: the server is daphne. Remove the variable." in server.log.read()
