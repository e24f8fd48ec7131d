"""The opening handshake of a WebSocket (RFC 6455, section 4): build the request, parse the response. No I/O."""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
HEAD_END = b"\r\n\r\n"
MAX_HEAD_BYTES = 32 * 1024
EXCERPT_BYTES = 200  # of a refusal's body, for the error text


class WebSocketError(Exception):
    """A WebSocket could not be opened, or has ended."""


class ConnectionClosed(WebSocketError):
    """The connection ended without a close frame."""


class HandshakeRefused(WebSocketError):
    """The server answered the handshake, but did not open a WebSocket.

    Attributes:
        status: the HTTP status; 0 if the answer was not HTTP, or not a valid handshake.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}" if status else reason)
        self.status = status


class HandshakeRequest(NamedTuple):
    """The request of one connection."""

    data: bytes
    accept: str  # what the server must send in Sec-WebSocket-Accept


def build_request(
    host: str, target: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
) -> HandshakeRequest:
    """Build the upgrade request with a random key.

    Args:
        host: the Host header, with the port if it is not the scheme's default.
        target: path and query.
        headers: further headers, such as Origin and Cookie.
        subprotocols: offered in this order.
    """
    key = base64.b64encode(secrets.token_bytes(16))
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key.decode()}",
        *([f"Sec-WebSocket-Protocol: {', '.join(subprotocols)}"] if subprotocols else []),
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324  # RFC 6455 prescribes SHA-1
    return HandshakeRequest("\r\n".join([*lines, "", ""]).encode(), accept)


def parse_response(data: bytes, accept: str) -> bytes | None:
    """Parse what the server has sent so far.

    Returns:
        The bytes after the response's head, which belong to frames; None while the head is not complete.

    Raises:
        HandshakeRefused: the response does not open a WebSocket.
    """
    head, end, rest = data.partition(HEAD_END)
    if not end:
        if len(data) > MAX_HEAD_BYTES:
            raise HandshakeRefused(0, f"the response to the handshake has no end within {MAX_HEAD_BYTES} bytes")
        return None
    status_line, *lines = head.decode("latin1").split("\r\n")
    status = status_line.split(" ")[1:2]
    if status != ["101"]:
        code = int(status[0]) if status and status[0].isdigit() else 0
        raise HandshakeRefused(code, f"{status_line} {rest[:EXCERPT_BYTES].decode('latin1')}".strip())
    answered = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if answered.get("sec-websocket-accept") != accept:
        raise HandshakeRefused(0, "the server that answered the handshake speaks no WebSocket")
    return rest
