"""WebSocket text frames (RFC 6455, section 5.2) and the writers that send them."""

import asyncio
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .metrics import SLOW_READERS_CLOSED

Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_PENDING_BYTES = 1024 * 1024  # unsent bytes of one connection; above it the client is a slow reader and is closed
DIRECT_WRITER = "channels_realtime.direct"  # the ASGI extension that has a connection's own FrameWriter

TEXT_OPCODE = 0x81  # FIN bit and opcode 1: one unfragmented text frame
BINARY_OPCODE = 0x82
MASK_BIT = 0x80  # clients mask their payload, servers do not


class Frame:
    """A text message and its encoded WebSocket frame. One Frame is written to any number of connections."""

    __slots__ = ("text", "wire")

    def __init__(self, text: str) -> None:
        self.text = text
        self.wire = encode_frame(text.encode())


class BinaryFrame(Frame):
    """A binary message. Only writers that send `wire` can send it."""

    __slots__ = ()

    def __init__(self, payload: bytes) -> None:
        self.text = ""
        self.wire = encode_frame(payload, BINARY_OPCODE)


def events_frame(texts: Sequence[str]) -> Frame:
    """Return the frame that carries these events, each of which is encoded as JSON already.

    The message is `{"type": "events", "events": [...]}`.
    """
    return Frame('{"type":"events","events":[' + ",".join(texts) + "]}")


def encode_frame(payload: bytes, opcode: int = TEXT_OPCODE) -> bytes:
    """Return an unmasked frame around a payload, which has to be UTF-8 in a text frame."""
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", opcode, 126, size) + payload
    return struct.pack("!BBQ", opcode, 127, size) + payload


def decode_text_frame(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the payload and the remaining bytes if `data` begins with one complete, masked text frame.

    Returns None for everything else: another opcode, a fragment, 64 KiB or more, an overlong length, invalid UTF-8.
    The caller then leaves the bytes to autobahn, which knows all of RFC 6455.
    """
    if len(data) < 6 or data[0] != TEXT_OPCODE:
        return None
    size, start = data[1] - MASK_BIT, 6
    if size == 126:
        size, start = int.from_bytes(data[2:4]), 8
        if size < 126:
            return None  # RFC 6455, section 5.2: the shortest encoding of the length is required
    elif not 0 <= size < 126:
        return None
    end = start + size
    if len(data) < end:
        return None
    mask = (data[start - 4 : start] * (size // 4 + 1))[:size]
    payload = (int.from_bytes(data[start:end]) ^ int.from_bytes(mask)).to_bytes(size)
    try:
        payload.decode()
    except UnicodeDecodeError:
        return None
    return payload, data[end:]


def ignore_overflow() -> None:
    """Do nothing. It is the default of a writer that no consumer uses yet."""


class FrameWriter:
    """The sending side of one accepted WebSocket. No method waits, frames keep their order, a close is the last word.

    Attributes:
        is_closed: Whether the connection is lost or its close was requested. Later frames are dropped.
        pending_bytes: Bytes that were written and that the client has not taken yet.
        max_pending_bytes: Above it the client is a slow reader.
        on_overflow: Called when `pending_bytes` exceeds `max_pending_bytes`.
        on_drain: Called with the seconds after which the client should reconnect, when the server drains. A consumer
            sets it to send a last message of its own; without it the server closes the connection with 1012.
        has_pings: Whether the consumer finds dead clients by pings of its own; otherwise the server sends pings.
    """

    __slots__ = ("has_pings", "is_closed", "max_pending_bytes", "on_drain", "on_overflow", "pending_bytes")

    def __init__(self) -> None:
        self.is_closed = False
        self.has_pings = False
        self.pending_bytes = 0
        self.max_pending_bytes = MAX_PENDING_BYTES
        self.on_overflow: Callable[[], None] = ignore_overflow
        self.on_drain: Callable[[float], None] | None = None

    @property
    def is_slow(self) -> bool:
        """Whether the client reads so slowly that ephemeral frames are dropped."""
        return self.pending_bytes > self.max_pending_bytes // 2

    def write(self, frame: Frame) -> None:
        """Send a frame after all earlier ones."""
        raise NotImplementedError

    def write_droppable(self, frame: Frame) -> None:
        """Send an ephemeral frame, or drop it if the client reads slowly."""
        if not self.is_slow:
            self.write(frame)

    def close(self, code: int, last: Frame | None = None, *, skip_pending: bool = False) -> None:
        """Send `last`, then a close frame with this code. Later calls do nothing.

        Args:
            code: The close code (RFC 6455, section 7.4).
            last: A last message, if there is one.
            skip_pending: Drop what was written and not sent, because the client reads too slowly.
        """
        if not self.is_closed:
            self.is_closed = True
            self.send_close(code, last, skip_pending=skip_pending)

    def send_close(self, code: int, last: Frame | None, *, skip_pending: bool) -> None:
        """Do what `close` promises; called once."""
        raise NotImplementedError

    def mark_lost(self) -> None:
        """The connection is lost: send nothing more."""
        self.is_closed = True

    def add_pending(self, size: int) -> None:
        """Count `size` more unsent bytes, and call `on_overflow` when they are too many."""
        self.pending_bytes += size
        if self.pending_bytes > self.max_pending_bytes:
            SLOW_READERS_CLOSED.inc()
            self.on_overflow()


class AsgiFrameWriter(FrameWriter):
    """Sends by `websocket.send` events, on any ASGI server. One task sends while there is something to send.

    `pending_bytes` does not contain what the server itself buffers.
    """

    __slots__ = ("_messages", "_send", "_task")

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self._messages: deque[Frame | int] = deque()  # an int is a close code
        self._task: asyncio.Task[None] | None = None

    def write(self, frame: Frame) -> None:
        """Queue the frame for the sending task."""
        if not self.is_closed:
            self._queue(frame)
            self.add_pending(len(frame.wire))

    def send_close(self, code: int, last: Frame | None, *, skip_pending: bool) -> None:
        """Queue the last frame and the close code."""
        if skip_pending:
            self._messages.clear()
            self.pending_bytes = 0
        if last is not None:
            self.pending_bytes += len(last.wire)
            self._queue(last)
        self._queue(code)

    def _queue(self, message: Frame | int) -> None:
        self._messages.append(message)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._send_queued())

    async def _send_queued(self) -> None:
        while self._messages:
            message = self._messages.popleft()
            if isinstance(message, Frame):
                self.pending_bytes -= len(message.wire)
                await self._send({"type": "websocket.send", "text": message.text})
            else:
                await self._send({"type": "websocket.close", "code": message})


def frame_writer(scope: dict[str, Any], send: Send) -> FrameWriter:
    """Return the fastest writer that the server of this connection offers."""
    direct: FrameWriter | None = scope.get("extensions", {}).get(DIRECT_WRITER)
    return direct or AsgiFrameWriter(send)
