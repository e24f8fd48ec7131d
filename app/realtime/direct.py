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
from realtime.socket import Socket

CHUNK = 64 * 1024  # bytes handed to Twisted at a time: what cannot be taken back


@implementer(IPullProducer)
class DirectSocket(Socket):
    """Frames to one WebSocketProtocol, in order, valid, and none after a close frame.

    `_clear`: a frame may leave at once. In a large room the memory that is touched for each member costs more than
    what is done there, so this one answer stands for all that would have to be looked at: whether the connection is
    open, and whether bytes wait in Twisted or here.
    """

    __slots__ = ("_clear", "_frames", "_pulling", "_send", "protocol", "transport")

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.transport = protocol.transport
        self._send = self.transport.getHandle().send
        self._frames: deque[bytes] | None = None  # made when needed: an empty one takes 760 bytes
        self._pulling = False
        self._clear = False

    def write(self, frame: Frame) -> None:
        if not self._clear:
            self._look_and_write(frame)
            return
        wire, send = frame.wire, self._send  # found sooner as a value than as a method
        try:
            sent = send(wire)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._clear = False
            return  # the reactor hears of it, too, and ends the connection
        if sent != len(wire):
            self._clear = False
            self.transport.write(wire[sent:])

    def look(self) -> None:
        """Before the next frame: others have written to the connection, or end it."""
        self._clear = False

    def _look_and_write(self, frame: Frame) -> None:
        if self.closed or self.protocol.state != self.protocol.STATE_OPEN:
            return
        if not self._pulling and not self._pending():
            self._clear = True
            self.write(frame)
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame.wire)
        if not self._pulling:
            self._pulling = True
            self.transport.registerProducer(self, streaming=False)
        self.count(len(frame.wire))

    def finish(self, code: int, last: Frame, *, skip: bool) -> None:
        self._clear = False
        if self.protocol.state != self.protocol.STATE_OPEN:
            return
        frames = [last.wire] if skip or self._frames is None else [*self._frames, last.wire]
        self.transport.write(b"".join(frames))  # from here on nothing is taken back
        self._stop()
        self.protocol.serverClose(code)

    def forget(self) -> None:
        super().forget()
        self._clear = False

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
        return bool(self.transport.dataBuffer or self.transport._tempDataBuffer)  # noqa: SLF001  Twisted tells it nowhere else

    def _stop(self) -> None:
        self._frames = None
        self.waiting = 0
        if self._pulling:
            self._pulling = False
            self.transport.unregisterProducer()
