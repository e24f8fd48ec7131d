"""A WebSocket server with a fault, to see whether the client of the benchmark notices."""

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from websockets.frames import Frame, Opcode

from loadtest.bench.address import Address
from loadtest.bench.contenders.contender import Target

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FaultyServer:
    """Sends every message to all members, with the fault on the way to the member that connected first."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.writers: list[asyncio.StreamWriter] = []
        self.held: list[bytes] = []
        self.count = 0
        self.tasks: list[asyncio.Task[None] | None] = []
        self.server: asyncio.Server

    async def start(self, folder: Path, tls: ssl.SSLContext | None = None) -> Target:
        """Listen: with TLS on a port, otherwise on a unix socket."""
        if tls:
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
            return Target(Address(port=self.server.sockets[0].getsockname()[1], tls=True), "plain")
        path = str(folder / "faulty.sock")
        self.server = await asyncio.start_unix_server(self.serve, path)
        return Target(Address(path=path), "plain")

    async def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*filter(None, self.tasks))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.current_task())
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if self.fault == "refuse" and len(self.writers) == 1:
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            self.writers.append(writer)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)
            assert key
            accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
            writer.write(HANDSHAKE + accept + b"\r\n\r\n")
            while True:
                head = await reader.readexactly(6)  # the client's messages are short, and masked with zeros
                payload = await reader.readexactly(head[1] & 0x7F)
                if head[0] & 0x0F == Opcode.TEXT:
                    await self.deliver(Frame(Opcode.TEXT, payload).serialize(mask=False))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def deliver(self, frame: bytes) -> None:
        self.count += 1
        if self.fault == "swallow":
            return
        first, *others = self.writers
        for writer in others:
            writer.write(frame)
        for chunk in self.chunks_for_first(frame):
            first.write(chunk)
            await first.drain()
            await asyncio.sleep(0)  # each chunk is a write of its own
        if self.fault == "close" and self.count == 5:
            first.write(Frame(Opcode.CLOSE, (1012).to_bytes(2, "big")).serialize(mask=False))

    def chunks_for_first(self, frame: bytes) -> Iterator[bytes]:
        is_tenth = self.count % 10 == 0
        if self.fault == "dribble":
            yield from (frame[at : at + 7] for at in range(0, len(frame), 7))
        elif self.fault == "lump":  # ten frames at once, with a ping among them
            self.held.append(frame)
            if is_tenth:
                yield (
                    Frame(Opcode.PING, b"?")
                    .serialize(mask=False)
                    .join([b"".join(self.held[:5]), b"".join(self.held[5:])])
                )
                self.held.clear()
        elif self.fault == "swap":
            self.held.append(frame)
            if len(self.held) == 2:
                yield from reversed(self.held)
                self.held.clear()
        elif self.fault == "drop" and is_tenth:
            return
        elif self.fault == "double" and is_tenth:
            yield frame + frame
        else:
            yield frame
