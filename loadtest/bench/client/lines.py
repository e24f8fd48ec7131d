"""One member's connection: TCP or a unix socket, TLS or not, never blocking."""

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from loadtest import frames
from loadtest.bench.client.oracle import Track

READ_BYTES = 32 * 1024
PATIENCE = 5  # seconds for a server to take one small frame

# Who the server is does not matter here; what encrypting costs does.
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


@dataclass(frozen=True)
class Address:
    """Where a server listens: a port of this machine, or a path."""

    port: int = 0
    path: str = ""
    tls: bool = False

    def socket(self) -> socket.socket:
        """A new socket that has begun to connect."""
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        if not self.path:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # EAGAIN, a unix socket's backlog is full, is an error here like the others.
        if (error := made.connect_ex(self.path or ("127.0.0.1", self.port))) not in (0, errno.EINPROGRESS):
            made.close()
            raise OSError(error, os.strerror(error))
        return made


class Ended(Exception):
    """The server has hung up."""


class Refused(Ended):
    """It answered the handshake with another status than 101."""


class Line:
    """Bytes to and from a server. `careful` until the member is in and nothing is half received."""

    def __init__(self, address: Address, request: bytes, track: Track, *, listens: bool) -> None:
        self.request = request
        self.track = track
        self.listens = listens  # wants the room's messages
        self.socket = address.socket()
        self.fd = self.socket.fileno()
        self.step: Callable[[], None] | None = self.upgrade  # what is left of the opening
        self.careful = True
        self.upgraded = self.ready = False
        self.rest = b""  # of a frame, or of the answer to the handshake
        self.text = b""  # of a message that goes on in the next frame
        self.goodbye = False  # the server has said it

    def upgrade(self) -> None:
        """Ask for the WebSocket, once the connection stands."""
        if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        self.step = None
        self.write(self.request)

    def read(self) -> bytes:
        """What is there; empty when that is not enough to decrypt. Raises Ended, or OSError."""
        if chunk := os.read(self.fd, READ_BYTES):
            return chunk
        raise Ended

    def write(self, data: bytes) -> None:
        """Everything, at once: frames are small, and a server that takes none for seconds is broken."""
        while data:
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                if not select.select([], [self.fd], [], PATIENCE)[1]:
                    raise Ended from None

    def say(self, payload: bytes, opcode: int = frames.TEXT) -> None:
        """Send one frame."""
        self.write(frames.build(payload, opcode))


class TlsLine(Line):
    """The same through TLS. Decrypting from memory reads a whole buffer at a time, not a record's header first."""

    def __init__(self, address: Address, request: bytes, track: Track, *, listens: bool) -> None:
        super().__init__(address, request, track, listens=listens)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = TRUSTING.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.step = self.begin

    def begin(self) -> None:
        if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        self.step = self.shake_hands
        self.shake_hands(first=True)

    def shake_hands(self, *, first: bool = False) -> None:
        if not first:
            self.incoming.write(super().read())
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            super().write(self.outgoing.read())
        else:
            super().write(self.outgoing.read())
            self.upgrade()

    def read(self) -> bytes:
        self.incoming.write(super().read())
        chunk = b""
        try:
            while True:
                chunk += self.tls.read(READ_BYTES)
                if not self.incoming.pending:
                    return chunk
        except ssl.SSLWantReadError:  # half a record
            return chunk
        except ssl.SSLZeroReturnError:
            raise Ended from None

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        super().write(self.outgoing.read())
