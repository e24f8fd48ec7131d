"""One WebSocket connection over TCP, a unix socket or TLS, on a non-blocking socket.

`Connection` never waits: a loop calls it when its socket is readable. `open_connection` waits until the WebSocket is
open, with Python's own `select` module: under gevent, which locust puts in its place, other users run meanwhile.
"""

import os
import select
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from loadtest.core.frames import TEXT, build_frame
from loadtest.core.handshake import ConnectionClosed, HandshakeRequest, build_request, parse_response
from loadtest.core.tls import TlsStream

READ_BYTES = 32 * 1024
MAX_UNSENT_BYTES = 1 << 20  # a server that has not read so much is gone
OPEN_TIMEOUT_SECONDS = 30.0


class OpenTimes(NamedTuple):
    """How long the steps of opening took, in nanoseconds."""

    connect: int  # TCP
    handshake: int  # TLS and the upgrade


class Connection:
    """A WebSocket on a non-blocking socket that is connected, or connecting. Not thread-safe.

    Attributes:
        fd: the file descriptor of the socket.
        is_open: the WebSocket is open; until then call `start_handshake` and `continue_handshake`.
        buffer: received bytes of a frame that is not complete.
        unsent: bytes that the system did not take yet; call `flush` when the socket is writable.
    """

    __slots__ = ("_is_encrypting", "_request", "_tls", "buffer", "fd", "is_open", "socket", "unsent")

    def __init__(
        self,
        sock: socket.socket,
        request: HandshakeRequest,
        tls: ssl.SSLContext | None = None,
        server_hostname: str = "localhost",
    ) -> None:
        self.socket = sock
        self.fd = sock.fileno()
        self.is_open = False
        self.buffer = b""
        self.unsent = b""
        self._request = request
        self._tls = TlsStream(tls, server_hostname) if tls else None
        self._is_encrypting = tls is None  # the TLS handshake is complete, or there is none

    # --- opening

    def start_handshake(self) -> None:
        """Send the first bytes, once the socket is connected.

        Raises:
            OSError: the socket could not be connected.
            ConnectionClosed: the server takes no bytes.
        """
        if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        if self._tls and not self._is_encrypting:
            _, data = self._tls.continue_handshake()
            self._write(data)
        else:
            self._write(self._request.data)

    def continue_handshake(self) -> None:
        """Read what has arrived, and take the next step; `is_open` says whether it was the last.

        Raises:
            BlockingIOError: nothing has arrived.
            HandshakeRefused: the server does not open a WebSocket.
            ConnectionClosed: the server has ended the connection.
            OSError: the connection broke, or TLS failed.
        """
        received = self._receive()
        if self._tls and not self._is_encrypting:
            self._is_encrypting, data = self._tls.continue_handshake(received)
            self._write(data)
            if not self._is_encrypting:
                return
            self._write(self._tls.encrypt(self._request.data))
            received = b""
        self.buffer += self._tls.decrypt(received) if self._tls else received
        if (rest := parse_response(self.buffer, self._request.accept)) is not None:
            self.buffer, self.is_open = rest, True

    # --- open

    def read(self) -> bytes:
        """Return what has arrived: frames, of which the last may be incomplete; empty if TLS needs more to decrypt.

        Raises:
            BlockingIOError: nothing has arrived.
            ConnectionClosed: the server has ended the connection.
            OSError: the connection broke.
        """
        if not (chunk := os.read(self.fd, READ_BYTES)):
            raise ConnectionClosed
        return self._tls.decrypt(chunk) if self._tls else chunk

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send one frame. What the system does not take now stays in `unsent`.

        Raises:
            ConnectionClosed: more than MAX_UNSENT_BYTES are unsent.
            OSError: the connection broke.
        """
        frame = build_frame(payload, opcode)
        self._write(self._tls.encrypt(frame) if self._tls else frame)

    def flush(self) -> None:
        """Send what is unsent, as far as the system takes it. Raises the same exceptions as `send`."""
        try:
            while self.unsent:
                self.unsent = self.unsent[os.write(self.fd, self.unsent) :]
        except BlockingIOError:
            if len(self.unsent) > MAX_UNSENT_BYTES:
                raise ConnectionClosed from None

    def drop(self) -> None:
        """Close the socket without a close frame, as a broken network does."""
        if self.fd >= 0:
            self.fd = -1
            self.socket.close()

    def _receive(self) -> bytes:
        if chunk := os.read(self.fd, READ_BYTES):
            return chunk
        raise ConnectionClosed

    def _write(self, data: bytes) -> None:
        self.unsent += data
        self.flush()


def open_connection(
    url: str,
    headers: Mapping[str, str],
    subprotocols: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    timeout: float = OPEN_TIMEOUT_SECONDS,
) -> tuple[Connection, OpenTimes]:
    """Open a WebSocket, and wait until it is open.

    Args:
        url: ws:// or wss://.
        headers: further headers of the handshake.
        subprotocols: offered in this order.
        tls: the context for wss://; None verifies the server's certificate with the system's authorities.
        timeout: seconds.

    Raises:
        OSError: the server cannot be reached, TLS failed, or the time is over (TimeoutError).
        HandshakeRefused: the server does not open a WebSocket.
        ConnectionClosed: the server has ended the connection.
    """
    site = urlsplit(url)
    host, is_tls = site.hostname or "", site.scheme == "wss"
    target = f"{site.path or '/'}{'?' + site.query if site.query else ''}"
    request = build_request(site.netloc.rpartition("@")[2], target, headers, subprotocols)
    started = time.monotonic_ns()
    deadline = time.monotonic() + timeout
    sock = socket.create_connection((host, site.port or (443 if is_tls else 80)), timeout=timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected = time.monotonic_ns()
        sock.setblocking(False)
        os.set_blocking(sock.fileno(), False)
        context = (tls or ssl.create_default_context()) if is_tls else None
        connection = Connection(sock, request, context, host)
        connection.start_handshake()
        while not connection.is_open:
            _wait_until_readable(connection.fd, deadline)
            connection.continue_handshake()
    except BaseException:
        sock.close()
        raise
    return connection, OpenTimes(connected - started, time.monotonic_ns() - connected)


def _wait_until_readable(fd: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError("the handshake was not answered in time")
