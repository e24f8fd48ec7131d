"""One connection against servers that are real, refuse, or do not read."""

import asyncio
import select
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from loadtest.bench.nginx_proxy import make_certificate
from loadtest.core.connection import Connection, OpenTimes, open_connection
from loadtest.core.frames import Frame, parse_frames
from loadtest.core.handshake import ConnectionClosed, HandshakeRefused, HandshakeRequest
from loadtest.core.tls import unverified_context


async def echo(one: ServerConnection) -> None:
    await one.send("first")
    async for text in one:
        await one.send(text)


def opened(url: str, tls: ssl.SSLContext | None = None) -> Connection:
    connection, times = open_connection(url, {"Origin": "https://here"}, tls=tls, timeout=5)
    assert isinstance(times, OpenTimes)
    assert min(times) > 0
    return connection


def read_all(connection: Connection, wanted: int) -> list[bytes]:
    """Payloads in the order of their arrival."""
    found: list[Frame] = []
    data = connection.buffer
    while True:
        parsed, consumed = parse_frames(data)
        found, data = found + parsed, data[consumed:]
        if len(found) >= wanted:
            return [frame.payload for frame in found]
        wait_readable(connection.fd)
        data += connection.read()


def wait_readable(fd: int) -> None:
    arrivals = select.poll()  # select.select() refuses descriptors above 1023
    arrivals.register(fd, select.POLLIN)
    assert arrivals.poll(5_000), "nothing arrives"


@pytest.mark.parametrize("secure", [False, True])
async def test_messages_of_any_length_are_exchanged(tmp_path: Path, secure: bool) -> None:
    chain, key = make_certificate(tmp_path)
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


async def test_a_self_signed_certificate_is_refused_unless_it_is_to_be_accepted(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    async with serve(echo, "localhost", 0, ssl=context) as server:
        url = f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/"
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(opened, url)
        connection = await asyncio.to_thread(opened, url, unverified_context())
        connection.drop()


@pytest.fixture
async def answer_with() -> AsyncIterator[Callable[[bytes], "asyncio.Future[str]"]]:
    """`await answer_with(bytes)`: the address of a server that answers anything with these bytes and hangs up."""
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
    ("answer", "status", "excerpt"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\nslow down", 429, "slow down"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", 403, "Forbidden"),
        (b"220 smtp.example.org\r\n\r\n", 0, "220"),
        (b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", 0, "speaks no WebSocket"),
    ],
)
async def test_a_refusal_has_a_reason(
    answer_with: Callable[[bytes], "asyncio.Future[str]"], answer: bytes, status: int, excerpt: str
) -> None:
    url = await answer_with(answer)
    with pytest.raises(HandshakeRefused, match=excerpt) as refused:
        await asyncio.to_thread(opened, url)
    assert refused.value.status == status


async def test_a_server_that_hangs_up_has_closed_the_connection(
    answer_with: Callable[[bytes], "asyncio.Future[str]"],
) -> None:
    url = await answer_with(b"")
    with pytest.raises(ConnectionClosed):
        await asyncio.to_thread(opened, url)


def test_bytes_that_the_server_does_not_read_are_kept_up_to_a_limit() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(ours, HandshakeRequest(b"", ""))
    for _ in range(20):
        connection.send(b"x" * 60_000)
        if connection.unsent:
            break
    waiting = len(connection.unsent)
    assert waiting > 0
    theirs.recv(1 << 20)
    connection.flush()
    assert len(connection.unsent) < waiting
    with pytest.raises(ConnectionClosed):
        for _ in range(40):
            connection.send(b"x" * 60_000)
    ours.close()
    theirs.close()
