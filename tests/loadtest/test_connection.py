"""One connection of the load test against servers that are real, rude or slow."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from loadtest import frames
from loadtest.bench.front import certificate_in
from loadtest.connection import Connection, Ended, Opened, Refused, trusting


async def echo(one: ServerConnection) -> None:
    await one.send("first")
    async for text in one:
        await one.send(text)


def opened(url: str, tls: ssl.SSLContext | None = None) -> Connection:
    connection = Connection(url, {"Origin": "https://here"})
    times = connection.open(tls, seconds=5)
    assert isinstance(times, Opened)
    assert min(times) > 0
    return connection


def read_all(connection: Connection, wanted: int) -> list[bytes]:
    """Payloads, as they come."""
    found: list[frames.Frame] = []
    data = connection.rest
    while True:
        whole, taken = frames.split(data)
        found, data = found + whole, data[taken:]
        if len(found) >= wanted:
            return [frame.payload for frame in found]
        wait_readable(connection.fd)
        data += connection.read()


def wait_readable(fd: int) -> None:
    import select

    assert select.select([fd], [], [], 5)[0], "nothing comes"


@pytest.mark.parametrize("secure", [False, True])
async def test_it_talks(tmp_path: Path, secure: bool) -> None:
    chain, key = certificate_in(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    async with serve(echo, "localhost", 0, ssl=context if secure else None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        ours = ssl.create_default_context(cafile=str(chain))
        connection = await asyncio.to_thread(opened, f"{'wss' if secure else 'ws'}://localhost:{port}/x?y=1", ours)
        connection.send(b"one")
        connection.send(b"x" * 100_000)
        assert await asyncio.to_thread(read_all, connection, 3) == [b"first", b"one", b"x" * 100_000]
        connection.drop()


async def test_a_certificate_of_ones_own_is_refused_unless_it_is_to_be_trusted(tmp_path: Path) -> None:
    chain, key = certificate_in(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    async with serve(echo, "localhost", 0, ssl=context) as server:
        url = f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/"
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(opened, url)
        connection = await asyncio.to_thread(opened, url, trusting())
        connection.drop()


@pytest.fixture
async def says() -> AsyncIterator[Callable[[bytes], "asyncio.Future[str]"]]:
    """`await says(bytes)`: the address of a server that answers anything with these bytes and hangs up."""
    servers = []

    async def start(answer: bytes) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        servers.append(server)
        return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield start  # type: ignore[misc]
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\nslow down", 429, "slow down"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", 403, "Forbidden"),
        (b"220 smtp.example.org\r\n\r\n", 0, "220"),
        (b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", 0, "speaks no WebSocket"),
    ],
)
async def test_a_refusal_says_why(
    says: Callable[[bytes], "asyncio.Future[str]"], answer: bytes, status: int, words: str
) -> None:
    url = await says(answer)
    with pytest.raises(Refused, match=words) as refused:
        await asyncio.to_thread(opened, url)
    assert refused.value.status == status


async def test_who_hangs_up_has_ended(says: Callable[[bytes], "asyncio.Future[str]"]) -> None:
    url = await says(b"")
    with pytest.raises(Ended):
        await asyncio.to_thread(opened, url)


def test_what_the_other_side_does_not_read_waits_and_is_bounded() -> None:
    ours, theirs = socket.socketpair()
    connection = Connection("ws://x", {})
    connection.socket, connection.fd = ours, ours.fileno()
    ours.setblocking(False)
    for _ in range(20):
        connection.send(b"x" * 60_000)
        if connection.unsent:
            break
    waiting = len(connection.unsent)
    assert waiting > 0
    theirs.recv(1 << 20)
    connection.flush()
    assert len(connection.unsent) < waiting
    with pytest.raises(Ended):
        for _ in range(40):
            connection.send(b"x" * 60_000)
    ours.close()
    theirs.close()
