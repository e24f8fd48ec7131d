"""A chat server that misbehaves on purpose, to see whether the client notices."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

from websockets.frames import Frame, Opcode

from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class Crooked:
    """Every message goes to everybody, but as `way` says; the member who came first gets the worst of it."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.writers: list[asyncio.StreamWriter] = []
        self.held: list[bytes] = []
        self.count = 0
        self.tasks: list[asyncio.Task[None] | None] = []
        self.server: asyncio.Server

    async def start(self, folder: Path, tls: ssl.SSLContext | None = None) -> Target:
        """Listen: with TLS on a port, else on a unix socket."""
        if tls:
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
            return Target(Address(port=self.server.sockets[0].getsockname()[1], tls=True), "bare")
        path = str(folder / "crooked.sock")
        self.server = await asyncio.start_unix_server(self.serve, path)
        return Target(Address(path=path), "bare")

    async def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*filter(None, self.tasks))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            if self.way == "refuse" and len(self.writers) == 1:
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            self.writers.append(writer)
            writer.write(HANDSHAKE)
            while True:
                head = await reader.readexactly(6)  # our client's messages are short, and masked with zeros
                payload = await reader.readexactly(head[1] & 0x7F)
                if head[0] & 0x0F == Opcode.TEXT:
                    await self.tell(Frame(Opcode.TEXT, payload).serialize(mask=False))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def tell(self, frame: bytes) -> None:
        self.count += 1
        if self.way == "swallow":
            return
        first, *others = self.writers
        for writer in others:
            writer.write(frame)
        for chunk in self.to_the_first(frame):
            first.write(chunk)
            await first.drain()
            await asyncio.sleep(0)  # each chunk is a write of its own
        if self.way == "close" and self.count == 5:
            first.write(Frame(Opcode.CLOSE, (1012).to_bytes(2, "big")).serialize(mask=False))

    def to_the_first(self, frame: bytes) -> Iterator[bytes]:
        tenth = self.count % 10 == 0
        if self.way == "dribble":
            yield from (frame[place : place + 7] for place in range(0, len(frame), 7))
        elif self.way == "lump":  # ten frames at once, with a ping among them
            self.held.append(frame)
            if tenth:
                yield (
                    Frame(Opcode.PING, b"?")
                    .serialize(mask=False)
                    .join([b"".join(self.held[:5]), b"".join(self.held[5:])])
                )
                self.held.clear()
        elif self.way == "swap":
            self.held.append(frame)
            if len(self.held) == 2:
                yield from reversed(self.held)
                self.held.clear()
        elif self.way == "drop" and tenth:
            return
        elif self.way == "double" and tenth:
            yield frame + frame
        else:
            yield frame
