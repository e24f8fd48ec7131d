"""An HTTP/1.1 client that keeps the evidence: the reason phrase, the headers and how the connection ended.

`http.client` hides how a connection ended, and the doctor's verdict depends on it. The client needs Python 3.11 and no
packages, because the doctor runs on machines where nothing else is installed. `deploy/smoke.py` uses it as well.
"""

import errno
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

MAX_BODY_BYTES = 512 * 1024  # more of an answer is not read
MAX_HEAD_BYTES = 64 * 1024
READ_BYTES = 64 * 1024

BY_APPLICATION = ", by the application"  # at the end of the text of a refusal

ERROR_TEXTS = {
    "refused": "connection refused",
    "timeout": "no answer",
    "ended": "the connection ended without an answer",
    "reset": "the connection was reset",
    "missing": "no such socket file",
    "denied": "permission denied",
    "unreachable": "no route from this machine",
    "garbled": "an answer that is not HTTP",
}
"""Each kind of error that `classify_error` returns, and its text for people."""

ERRNO_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ENOENT: "missing",
    errno.EACCES: "denied",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
}


class ConnectionEnded(OSError):
    """The other side closed the connection before it sent what was expected."""


def classify_error(error: Exception) -> str:
    """Return the kind of a connection's error: a key of ERROR_TEXTS, or the error's own text when it has no kind."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionEnded):
        return "ended"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if isinstance(error, OSError) and error.errno:
        return ERRNO_KINDS.get(error.errno, os.strerror(error.errno))
    return "garbled" if isinstance(error, ValueError) else str(error)


def describe_error(kind: str) -> str:
    """Return the text for people of a kind that `classify_error` returned."""
    return ERROR_TEXTS.get(kind, kind)


class Connection:
    """One TCP, TLS or unix connection, with a buffer for bytes that were received but not yet read."""

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        """Take over the connected socket; `timeout` is the default for each wait, in seconds."""
        self.socket = connected
        self.timeout = timeout
        self._received = b""
        self._deadline = time.monotonic() + timeout

    def set_deadline(self, seconds: float | None = None) -> None:
        """Let all reads until the next call of this method take at most so many seconds (default: the timeout)."""
        self._deadline = time.monotonic() + (self.timeout if seconds is None else seconds)

    def send(self, data: bytes) -> None:
        """Send all bytes.

        Raises:
            OSError: the connection is lost, or the other side did not take the bytes within the timeout.
        """
        self.socket.settimeout(self.timeout)
        self.socket.sendall(data)

    def read_until(self, mark: bytes, limit: int) -> bytes:
        """Return the bytes before the mark, and drop the mark.

        Raises:
            ConnectionEnded: the other side closed the connection before the mark.
            ValueError: the mark is not among the first `limit` bytes.
            OSError: any other failure of the connection; TimeoutError after the deadline.
        """
        while mark not in self._received:
            if len(self._received) > limit:
                raise ValueError("too long")
            self._receive_more()
        found, _, self._received = self._received.partition(mark)
        return found

    def read_exactly(self, size: int) -> bytes:
        """Return so many bytes.

        Raises:
            ConnectionEnded: the other side closed the connection before.
            OSError: any other failure of the connection; TimeoutError after the deadline.
        """
        while len(self._received) < size:
            self._receive_more()
        found, self._received = self._received[:size], self._received[size:]
        return found

    def read_to_end(self, limit: int) -> bytes:
        """Return what the other side sends until it closes the connection, at most `limit` bytes.

        Raises:
            OSError: the connection failed; TimeoutError after the deadline.
        """
        try:
            while len(self._received) < limit:
                self._receive_more()
        except (ConnectionEnded, ssl.SSLError):
            pass
        return self.read_exactly(min(limit, len(self._received)))

    def close(self) -> None:
        """Close the connection; closing twice is allowed."""
        self.socket.close()

    def _receive_more(self) -> None:
        self.socket.settimeout(max(0.001, self._deadline - time.monotonic()))
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise ConnectionEnded("the connection ended")
        self._received += data


@dataclass(frozen=True)
class Target:
    """Where to send requests, and as which site."""

    host: str
    """The site's name: the TLS server name and the Host header, whatever `address` is."""
    port: int
    address: str
    """A name or an IP address to connect to. One that begins with a slash is the path of a unix socket."""
    tls: ssl.SSLContext | None
    """None: a server behind nginx, or plain HTTP."""
    forwarded_proto: str | None = None
    """The X-Forwarded-Proto header to send, where the request takes the place of nginx's."""
    user_agent: str = "stack-doctor"

    @property
    def authority(self) -> str:
        """The Host header: the name, with the port unless it is 443."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"

    def connect(self, timeout: float) -> socket.socket:
        """Return a new connection without TLS.

        Raises:
            OSError: there is no connection within `timeout` seconds; socket.gaierror when the name has no address.
        """
        if not self.address.startswith("/"):
            return socket.create_connection((self.address, self.port), timeout=timeout)
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(timeout)
        try:
            connected.connect(self.address)
        except OSError:
            connected.close()
            raise
        return connected

    def start_tls(self, connected: socket.socket) -> socket.socket:
        """Make the TLS handshake, if this target has TLS, and return the socket to use from now on.

        Raises:
            OSError: the handshake failed, and the connection is closed; ssl.SSLError when TLS itself says why.
        """
        if self.tls is None:
            return connected
        try:
            return self.tls.wrap_socket(connected, server_hostname=self.host)
        except OSError:
            connected.close()
            raise

    def open(self, timeout: float) -> Connection:
        """Return a new connection on which HTTP can be spoken.

        Raises:
            OSError: as `connect` and `start_tls`.
        """
        return Connection(self.start_tls(self.connect(timeout)), timeout)


@dataclass
class Reply:
    """The answer to a request; where there is none, `error` says why."""

    status: int = 0
    """0: there is no answer."""
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Names are in lower case."""
    body: bytes = b""
    """At most MAX_BODY_BYTES; empty after a 101."""
    seconds: float = 0
    """How long the request took, including the connection."""
    error: str = ""
    """The kind of error, as `classify_error` returns it; empty when there is an answer."""

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def is_nginx_page(self) -> bool:
        """Whether nginx wrote this page itself: it is nginx's built-in error page."""
        return b"<center>nginx" in self.body

    @property
    def is_application_refusal(self) -> bool:
        """Whether the project itself refused the handshake, and not a check of its Origin.

        The stack's server marks such an answer (app/channels_stack/sockets.py).
        """
        return self.status == 403 and self.headers.get("x-refused-by") == "application"

    def __str__(self) -> str:
        if self.error:
            return f"{describe_error(self.error)} (after {self.seconds:.1f} s)"
        return f"{self.status} {self.reason}".strip() + (BY_APPLICATION if self.is_application_refusal else "")


def request(target: Target, path: str, timeout: float, headers: dict[str, str] | None = None) -> Reply:
    """Send a GET request and return the answer. Nothing that the other side does raises an exception.

    Args:
        target: where to connect.
        path: the path and query of the request.
        timeout: seconds for the connection, and again for the whole answer.
        headers: headers to add or replace; one with an empty value is not sent.
    """
    reply, connection = exchange(target, path, timeout, headers)
    if connection:
        connection.close()
    return reply


def exchange(
    target: Target, path: str, timeout: float, headers: dict[str, str] | None = None
) -> tuple[Reply, Connection | None]:
    """Do the same as `request`, and return the open connection as well when the answer is a 101."""
    started = time.monotonic()
    reply = Reply()
    connection: Connection | None = None
    try:
        connection = target.open(timeout)
        connection.set_deadline()
        connection.send(_encode_request(target, path, headers or {}))
        _read_reply(connection, reply)
    except (OSError, ValueError) as error:
        if reply.status == 0:
            reply.error = classify_error(error)
    reply.seconds = time.monotonic() - started
    if connection and reply.status != 101:
        connection.close()
        return reply, None
    return reply, connection


def _encode_request(target: Target, path: str, headers: dict[str, str]) -> bytes:
    sent = {"Host": target.authority, "Connection": "close", "User-Agent": target.user_agent}
    if target.forwarded_proto:
        sent["X-Forwarded-Proto"] = target.forwarded_proto
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**sent, **headers}.items() if value)
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def _read_reply(connection: Connection, reply: Reply) -> None:
    status_line, *header_lines = connection.read_until(b"\r\n\r\n", MAX_HEAD_BYTES).decode("latin1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    status, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1") or not status.isdigit():
        raise ValueError("not HTTP")
    reply.status, reply.reason = int(status), reason
    for line in header_lines:
        name, _, value = line.partition(":")
        reply.headers[name.strip().lower()] = value.strip()
    if reply.status == 101:
        return
    if reply.headers.get("transfer-encoding", "").lower() == "chunked":
        while (size := int(connection.read_until(b"\r\n", MAX_HEAD_BYTES).split(b";")[0], 16)) and (
            len(reply.body) < MAX_BODY_BYTES
        ):
            reply.body += connection.read_exactly(min(size, MAX_BODY_BYTES))
            connection.read_exactly(2)
    elif (length := reply.headers.get("content-length", "")).isdigit():
        reply.body = connection.read_exactly(min(int(length), MAX_BODY_BYTES))
    else:
        reply.body = connection.read_to_end(MAX_BODY_BYTES)
