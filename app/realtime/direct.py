"""The shortest way of finished frames into one of daphne's connections.

Offered to the application as scope["extensions"]["parley.direct"]. A frame goes straight into the kernel's socket
while nothing waits before it; that saves Twisted's turn through the reactor, which costs more than the sending. What
does not fit waits here, frame by frame, and Twisted asks for it (as its pull producer) when there is room again.
Kept apart from Twisted's buffer, whole frames can be counted, bounded, and forgotten when the reader is too slow.
"""

from collections import deque
from typing import Any

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from realtime.frames import Frame

CHUNK = 64 * 1024  # bytes handed to Twisted at a time: what cannot be taken back


@implementer(IPullProducer)
class DirectWriter:
    """Frames to one WebSocketProtocol, in order, valid, and none after a close frame."""

    __slots__ = ("_frames", "_pulling", "_send", "protocol", "transport", "waiting")

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        self._send = self.transport.getHandle().send
        self._frames: deque[bytes] | None = None  # made when needed: an empty one takes 760 bytes
        self._pulling = False
        self.waiting = 0  # bytes of frames not begun

    def write(self, frame: Frame) -> int:
        """Send a frame after all earlier ones; a closed connection swallows it. Returns the bytes that wait."""
        if self.protocol.state != self.protocol.STATE_OPEN:
            return 0
        wire = frame.wire
        transport = self.transport
        if self._pulling or transport.dataBuffer or transport._tempDataBuffer:  # noqa: SLF001  Twisted tells it nowhere else
            if self._frames is None:
                self._frames = deque()
            self._frames.append(wire)
            self.waiting += len(wire)
            if not self._pulling:
                self._pulling = True
                transport.registerProducer(self, streaming=False)
            return self.waiting
        try:
            sent = self._send(wire)
        except BlockingIOError:
            sent = 0
        except OSError:
            return 0  # the reactor hears of it, too, and ends the connection
        if sent != len(wire):
            transport.write(wire[sent:])
        return 0

    def close(self, code: int, last: Frame, *, skip: bool) -> None:
        """Send the last frame and then a close frame. skip: forget the frames that are not begun."""
        if self.protocol.state != self.protocol.STATE_OPEN:
            return
        frames = [last.wire] if skip or self._frames is None else [*self._frames, last.wire]
        self.transport.write(b"".join(frames))  # from here on nothing is taken back
        self._stop()
        self.protocol.serverClose(code)

    def resumeProducing(self) -> None:  # noqa: N802  Twisted's name
        """Fill Twisted's buffer again, when it is empty."""
        if self.protocol.state != self.protocol.STATE_OPEN:
            self._stop()
        elif not self._pending():
            size, chunk = 0, []
            while self._frames and size < CHUNK:
                chunk.append(self._frames.popleft())
                size += len(chunk[-1])
            self.waiting -= size
            self.transport.write(b"".join(chunk))
            if not self._frames:
                self._stop()

    def stopProducing(self) -> None:  # noqa: N802  Twisted's name
        """The connection is lost."""
        self._pulling = False
        self._stop()

    def _pending(self) -> bool:
        return bool(self.transport.dataBuffer or self.transport._tempDataBuffer)  # noqa: SLF001

    def _stop(self) -> None:
        self._frames = None
        self.waiting = 0
        if self._pulling:
            self._pulling = False
            self.transport.unregisterProducer()
