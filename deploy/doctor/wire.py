"""HTTP/1.1 by hand: the reason phrase, the headers and the way a connection ends are the evidence."""

import base64
import errno
import hashlib
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

from deploy import smoke
from deploy.doctor.line import BODY, Ended, Line

HEAD = 64 * 1024


@dataclass(frozen=True)
class Target(smoke.Site):
    """Where to ask; an address that begins with a slash is a unix socket."""

    def dial(self, patience: float) -> socket.socket:
        """The bare connection. Raises OSError."""
        if self.address.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(patience)
            try:
                line.connect(self.address)
            except OSError:
                line.close()
                raise
            return line
        return socket.create_connection((self.address, self.port), timeout=patience)

    def open(self, patience: float) -> "Line":
        """The connection in which HTTP is spoken. Raises OSError, of which ssl.SSLError is one."""
        plain = self.dial(patience)
        if self.tls is None:
            return Line(plain, patience)
        try:
            return Line(self.tls.wrap_socket(plain, server_hostname=self.host), patience)
        except OSError:
            plain.close()
            raise


@dataclass
class Reply:
    """An answer, or in `error` the word for why none came."""

    status: int = 0
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    seconds: float = 0
    error: str = ""
    line: Line | None = None
    """After a 101: the open socket."""
    key: str = ""

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def by_nginx(self) -> bool:
        """Written by nginx itself and not passed on: its bare page."""
        return b"<center>nginx" in self.body

    @property
    def key_answered(self) -> bool:
        digest = hashlib.sha1(f"{self.key}{smoke.GUID}".encode()).digest()
        return self.headers.get("sec-websocket-accept") == base64.b64encode(digest).decode()

    def __str__(self) -> str:
        if self.error:
            return f"{WORDS.get(self.error, self.error)} (after {self.seconds:.1f} s)"
        return f"{self.status} {self.reason}".strip()


WORDS = {
    "refused": "connection refused",
    "timeout": "no answer",
    "ended": "the connection ended without an answer",
    "reset": "the connection was reset",
    "missing": "no such socket file",
    "denied": "permission denied",
    "unreachable": "no route from this machine",
    "garbled": "an answer that is not HTTP",
}


def error_word(error: Exception) -> str:
    """refused, timeout, ended, reset, missing, denied, unreachable, garbled; else the error's own words."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | Ended):
        return "ended"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if isinstance(error, OSError) and error.errno:
        by_number = {
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
        return by_number.get(error.errno, os.strerror(error.errno))
    return "garbled" if isinstance(error, ValueError) else str(error)


def ask(target: Target, path: str, patience: float, headers: dict[str, str] | None = None) -> Reply:
    """GET; nothing that the other side does raises. After a 101 the reply holds the open line."""
    began = time.monotonic()
    asked = {"Host": target.authority, "Connection": "close", "User-Agent": "parley-doctor", **(headers or {})}
    if target.tls is None and target.address.startswith("/"):
        asked.setdefault("X-Forwarded-Proto", "https")
    reply = Reply()
    line: Line | None = None
    try:
        line = target.open(patience)
        line.wait(patience)
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items() if value)
        line.socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        _read(line, reply)
    except (OSError, ValueError) as error:
        if reply.status == 0:
            reply.error = error_word(error)
    reply.seconds = time.monotonic() - began
    if reply.status == 101:
        reply.line = line
    elif line:
        line.close()
    return reply


def handshake(target: Target, path: str, patience: float, *, origin: str, cookie: str = "") -> Reply:
    """What a browser sends to open a WebSocket; Parley's protocol is offered, and nobody minds who has none."""
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Origin": origin,
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "parley.v1",
        "Cookie": cookie,
    }
    reply = ask(target, path, patience, headers)
    reply.key = key
    return reply


def _read(line: Line, reply: Reply) -> None:
    first, *lines = line.until(b"\r\n\r\n", HEAD).decode("latin1").split("\r\n")
    version, _, rest = first.partition(" ")
    status, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1") or not status.isdigit():
        raise ValueError("not HTTP")
    reply.status, reply.reason = int(status), reason
    for one in lines:
        name, _, value = one.partition(":")
        reply.headers[name.strip().lower()] = value.strip()
    if reply.status == 101:
        return
    if reply.headers.get("transfer-encoding", "").lower() == "chunked":
        while (size := int(line.until(b"\r\n", HEAD).split(b";")[0], 16)) and len(reply.body) < BODY:
            reply.body += line.exactly(min(size, BODY))
            line.exactly(2)
    elif (length := reply.headers.get("content-length", "")).isdigit():
        reply.body = line.exactly(min(int(length), BODY))
    else:
        reply.body = line.to_the_end(BODY)
