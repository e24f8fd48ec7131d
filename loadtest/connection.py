"""One WebSocket over TCP or TLS: opened as blocking sockets are, then read and written without ever waiting.

It uses Python's own socket module: under gevent, which locust puts in its place, opening waits cooperatively.
"""

import base64
import hashlib
import os
import secrets
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from loadtest import frames

READ_BYTES = 64 * 1024
HEAD_BYTES = 32 * 1024
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
WAITING_BYTES = 1 << 20  # unsent; a server that reads nothing for so long is gone


class Ended(Exception):
    """The connection is over without a close frame."""


class Refused(Exception):
    """The handshake was answered, but not with a WebSocket. `status` is 0 when it was no HTTP."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}" if status else said)
        self.status = status


class Opened(NamedTuple):
    """How long the steps of opening took, nanoseconds."""

    connect: int  # TCP
    handshake: int  # TLS and the upgrade


def trusting() -> ssl.SSLContext:
    """For a site whose certificate is its own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Connection:
    """Open it before anything else. Not for two threads."""

    def __init__(self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> None:
        """`url` is ws:// or wss://."""
        self.url = urlsplit(url)
        self.host = self.url.hostname or ""
        self.port = self.url.port or (443 if self.url.scheme == "wss" else 80)
        self.headers, self.subprotocols = headers, subprotocols
        self.fd = -1
        self.rest = b""  # of a frame
        self.unsent = b""
        self.tls: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    # --- opening

    def open(self, tls: ssl.SSLContext | None, seconds: float = 30) -> Opened:
        """Connect and shake hands. Raises OSError (TimeoutError, too), Refused or Ended."""
        began = time.monotonic_ns()
        self.socket = socket.create_connection((self.host, self.port), timeout=seconds)
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = time.monotonic_ns()
            if self.url.scheme == "wss":
                self._shake_hands(tls or ssl.create_default_context())
            self._upgrade()
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self.fd = self.socket.fileno()
        os.set_blocking(self.fd, False)
        return Opened(connected - began, time.monotonic_ns() - connected)

    def _shake_hands(self, context: ssl.SSLContext) -> None:
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=self.host)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.incoming.write(self._receive())
            else:
                self.socket.sendall(self.outgoing.read())
                return

    def _upgrade(self) -> None:
        key = base64.b64encode(secrets.token_bytes(16))
        lines = [
            f"GET {self.url.path or '/'}{'?' + self.url.query if self.url.query else ''} HTTP/1.1",
            f"Host: {self.url.netloc.rpartition('@')[2]}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key.decode()}",
            *([f"Sec-WebSocket-Protocol: {', '.join(self.subprotocols)}"] if self.subprotocols else []),
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode()
        if self.tls:
            self.tls.write(request)
            request = self.outgoing.read()
        self.socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            if len(head) > HEAD_BYTES:
                raise Refused(0, "the answer to the handshake has no end")
            raw = self._receive()
            head += self._decrypted(raw) if self.tls else raw
        head, _, self.rest = head.partition(b"\r\n\r\n")
        status_line, *rest = head.decode("latin1").split("\r\n")
        status = status_line.split(" ")[1:2]
        if status != ["101"]:
            code = int(status[0]) if status and status[0].isdigit() else 0
            raise Refused(code, (status_line + " " + self.rest[:200].decode("latin1")).strip())
        answered = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324  # the protocol's choice
        if answered.get("sec-websocket-accept") != accept:
            raise Refused(0, "whoever answered the handshake speaks no WebSocket")

    def _receive(self) -> bytes:
        if chunk := self.socket.recv(READ_BYTES):
            return chunk
        raise Ended

    # --- open

    def read(self) -> bytes:
        """What is there: frames, perhaps not whole. Raises BlockingIOError, Ended or OSError."""
        chunk = os.read(self.fd, READ_BYTES)
        if not chunk:
            raise Ended
        return self._decrypted(chunk) if self.tls else chunk

    def _decrypted(self, chunk: bytes) -> bytes:
        # From memory a whole buffer is decrypted at a time; from the socket OpenSSL reads each record's header first.
        assert self.tls
        self.incoming.write(chunk)
        plain = b""
        try:
            while True:
                plain += self.tls.read(READ_BYTES)
                if not self.incoming.pending:
                    return plain
        except ssl.SSLWantReadError:
            return plain
        except ssl.SSLZeroReturnError:
            if plain:
                return plain
            raise Ended from None
        except ssl.SSLError as error:
            raise Ended from error

    def send(self, payload: bytes, opcode: int = frames.TEXT) -> None:
        """Send one frame. What the system does not take now waits in `unsent` for flush(). Raises Ended or OSError."""
        data = frames.build(payload, opcode)
        if self.tls:
            self.tls.write(data)
            data = self.outgoing.read()
        self.unsent += data
        self.flush()

    def flush(self) -> None:
        """Raises Ended or OSError."""
        try:
            while self.unsent:
                self.unsent = self.unsent[os.write(self.fd, self.unsent) :]
        except BlockingIOError:
            if len(self.unsent) > WAITING_BYTES:
                raise Ended from None

    def drop(self) -> None:
        """Hang up, as a broken line does: no close frame."""
        if self.fd >= 0:
            self.fd = -1
            self.socket.close()
