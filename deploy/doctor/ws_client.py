"""A WebSocket client (RFC 6455) that keeps the evidence: how a handshake is answered and how a connection ends.

It needs Python 3.11 and no packages: the doctor runs on machines where nothing else is installed. `deploy/smoke.py`
and the containers' health check use it as well.
"""

import base64
import hashlib
import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from deploy.doctor.http_client import MAX_BODY_BYTES, Connection, Reply, Target, exchange

ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
SUBPROTOCOL = "parley.v1"  # offered in every handshake; a server that does not know it ignores the offer

# Opcodes and close codes: RFC 6455, sections 5.2 and 7.4.1.
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL_CLOSURE = 1000
NO_CODE_RECEIVED = 1005

ReceivedKind = Literal["text", "binary", "pong", "close", "ended", "silence"]
KINDS: dict[int, ReceivedKind] = {TEXT: "text", BINARY: "binary", PONG: "pong"}


@dataclass(frozen=True)
class Received:
    """What arrived next on a WebSocket."""

    kind: ReceivedKind
    """`ended` is an end without a close frame; `silence` means that nothing arrived in time."""
    data: bytes = b""
    """The payload; of a close frame the reason."""
    code: int = 0
    """The close code, where `kind` is `close`."""
    seconds: float = 0
    """How long the wait took."""

    @property
    def json(self) -> dict[str, Any]:
        """The payload as a JSON object; empty when it is something else."""
        try:
            decoded = json.loads(self.data)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}

    @property
    def message_type(self) -> str:
        """The `type` of a message of the chat's protocol; empty for anything else."""
        return str(self.json.get("type", ""))

    def __str__(self) -> str:
        if self.kind == "close":
            return f"close {self.code} {self.data.decode(errors='replace')}".rstrip()
        if self.message_type == "bye":
            return f"bye {self.json.get('code')}: {self.json.get('reason')}"
        if self.kind in ("text", "binary"):
            return self.data[:160].decode(errors="replace")
        return {"ended": "the connection ended without a close frame", "silence": "no answer"}.get(self.kind, self.kind)


class WebSocket:
    """An open WebSocket."""

    def __init__(self, connection: Connection) -> None:
        """Take over a connection on which the handshake is complete."""
        self._connection = connection

    def send_text(self, text: str) -> None:
        """Send a text frame. Raises OSError when the connection is lost."""
        self.send_frame(TEXT, text.encode())

    def send_frame(self, opcode: int, payload: bytes) -> None:
        """Send one masked frame, as RFC 6455 (section 5.3) requires of a client.

        Raises:
            OSError: the connection is lost.
        """
        size, mask = len(payload), os.urandom(4)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        masked = bytes(byte ^ mask[position % 4] for position, byte in enumerate(payload))
        self._connection.send(head + mask + masked)

    def send_close(self, code: int = NORMAL_CLOSURE) -> None:
        """Send a close frame. Raises OSError when the connection is lost."""
        self.send_frame(CLOSE, code.to_bytes(2, "big"))

    def receive(self, timeout: float | None = None) -> Received:
        """Return the next frame that is not a ping, and answer pings meanwhile.

        Nothing that the other side does raises an exception.

        Args:
            timeout: seconds to wait; the connection's own timeout by default.
        """
        started = time.monotonic()
        self._connection.set_deadline(timeout)
        try:
            while True:
                opcode, payload = self._read_frame()
                if opcode == PING:
                    self.send_frame(PONG, payload)
                    continue
                seconds = time.monotonic() - started
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else NO_CODE_RECEIVED
                    return Received("close", payload[2:], code, seconds)
                return Received(KINDS.get(opcode, "binary"), payload, 0, seconds)
        except TimeoutError:
            return Received("silence", seconds=time.monotonic() - started)
        except (OSError, ValueError):
            return Received("ended", seconds=time.monotonic() - started)

    def receive_until(self, is_wanted: Callable[[Received], bool], timeout: float | None = None) -> Received:
        """Return the first text frame that is wanted, or whatever arrives that is not a text frame.

        Args:
            is_wanted: decides about each text frame.
            timeout: seconds to wait for each frame; the connection's own timeout by default.
        """
        while True:
            received = self.receive(timeout)
            if received.kind != "text" or is_wanted(received):
                return received

    def send_command(self, **command: object) -> Received:
        """Send a command of the chat's protocol and return its answer, or the `bye` that arrives instead.

        Args:
            command: the fields of the command; `id` is among them.
        """
        try:
            self.send_text(json.dumps(command))
        except OSError:
            return Received("ended")
        return self.receive_until(lambda frame: frame.json.get("id") == command["id"] or frame.message_type == "bye")

    def abort(self) -> None:
        """Close the connection without a close frame; doing so twice is allowed."""
        self._connection.close()

    def _read_frame(self) -> tuple[int, bytes]:
        first, second = self._connection.read_exactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self._connection.read_exactly(2 if size == 126 else 8), "big")
        if size > MAX_BODY_BYTES:
            raise ValueError(f"a frame of {size} bytes is larger than {MAX_BODY_BYTES}")
        return first & 0x0F, self._connection.read_exactly(size)


@dataclass
class Handshake:
    """A WebSocket handshake and its answer."""

    reply: Reply
    key: str
    """The Sec-WebSocket-Key that was sent."""
    websocket: WebSocket | None
    """The open WebSocket after a 101; None after any other answer, and after `abort`."""

    @property
    def is_key_answered(self) -> bool:
        """Whether Sec-WebSocket-Accept belongs to the key, so that a real WebSocket server answered."""
        digest = hashlib.sha1(f"{self.key}{ACCEPT_GUID}".encode()).digest()
        return self.reply.headers.get("sec-websocket-accept") == base64.b64encode(digest).decode()

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol on which the server agreed; None when it chose none."""
        return self.reply.headers.get("sec-websocket-protocol")

    def abort(self) -> None:
        """Close the connection without a close frame, if it is open."""
        if self.websocket:
            self.websocket.abort()
            self.websocket = None


def open_websocket(
    target: Target, path: str, timeout: float, *, origin: str, cookie: str = "", subprotocol: str = ""
) -> Handshake:
    """Make the handshake that a browser makes. Nothing that the other side does raises an exception.

    Args:
        target: where to connect.
        path: the path and query of the WebSocket.
        timeout: seconds for the connection, again for the answer, and later for each wait on the open WebSocket.
        origin: the Origin header, `https://` with name and port.
        cookie: the Cookie header; empty: none is sent.
        subprotocol: that is offered; empty: that of the chat.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Origin": origin,
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": subprotocol or SUBPROTOCOL,
        "Cookie": cookie,
    }
    reply, connection = exchange(target, path, timeout, headers)
    return Handshake(reply, key, WebSocket(connection) if connection else None)
