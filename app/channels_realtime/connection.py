"""One WebSocket connection of daphne: what it receives goes to the consumer, what the consumer writes goes out.

daphne's own class lacks what production needs: exact close codes, a limit on what a client may send ahead, a limit on
what a slow client may leave unsent, pings, metrics, and a fast way for a frame that goes to thousands of connections.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any

from autobahn.websocket.types import ConnectionDeny
from daphne.server import reactor
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from . import internals, shutdown
from .conf import options
from .frames import BinaryFrame, Frame, FrameWriter, decode_text_frame
from .metrics import CLOSES, FRAMES_RECEIVED, FRAMES_SENT, HANDSHAKES, OPEN_SOCKETS

logger = logging.getLogger(__name__)

# What one client may have sent and the consumer not taken; above either the client is not read.
MAX_UNREAD_MESSAGES = 64
MAX_UNREAD_BYTES = 4 * 1024 * 1024
UNREAD_CHECK_SECONDS = 0.05  # until a client that is not read is looked at again
CLOSE_TIMEOUT_SECONDS = 60  # for the client to answer our close frame: it reads what the kernel holds first
PULL_BYTES = 64 * 1024  # handed to Twisted at a time: these bytes cannot be recalled
MAX_UNANSWERED_PINGS = 2  # protocol pings after which nothing has arrived; then the client is gone
MAX_REASON_BYTES = 123  # of a close frame: RFC 6455, section 5.5
NEVER_SENT_CODES = (1004, 1005, 1006, 1015)  # RFC 6455, section 7.4.1: no close frame may have them

internals.disable_debug_formatting()


class ReceiveQueue:
    """The messages that a consumer has not read yet: an asyncio.Queue for one reader.

    An empty asyncio.Queue takes 3 KB, and most connections are silent.
    """

    __slots__ = ("_arrival", "_messages", "_size")

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._size = 0  # characters and bytes of the messages
        self._arrival: asyncio.Future[None] | None = None

    def put_nowait(self, message: dict[str, Any]) -> None:
        """Add an ASGI message, and wake the reader."""
        self._messages.append(message)
        self._size += _size_of(message)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def get(self) -> dict[str, Any]:
        """Wait for the oldest message, remove it and return it."""
        while not self._messages:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        message = self._messages.pop(0)
        self._size -= _size_of(message)
        return message

    @property
    def is_full(self) -> bool:
        """Whether so much waits that the client should not be read."""
        return len(self._messages) > MAX_UNREAD_MESSAGES or self._size > MAX_UNREAD_BYTES


def _size_of(message: dict[str, Any]) -> int:
    """Return the characters or bytes of an ASGI message."""
    return len(message.get("text") or message.get("bytes") or "")


class Connection(WebSocketProtocol):
    """daphne's WebSocket protocol with exact close codes, metrics, and limits in both directions."""

    is_opened = False
    writer: "DirectFrameWriter | None" = None  # set when the handshake request has arrived
    unanswered_pings = 0  # protocol pings that were sent since anything arrived
    close_reason = b""  # of the close frame that is to be sent
    refusal_headers: Iterable[tuple[bytes, bytes]] = ()  # of the application, for the answer to the handshake

    # --- The handshake

    def onConnect(self, request: Any) -> Any:  # noqa: N802  autobahn's name
        """Refuse a handshake while the process drains; otherwise let daphne start the consumer."""
        if shutdown.draining.is_set():
            # nginx asks the next server at once. In the queue the client would wait until this process has ended.
            HANDSHAKES.labels("leaving").inc()
            raise ConnectionDeny(503, "The server restarts.")  # type: ignore[no-untyped-call]
        # After a frame that is too large or no UTF-8, send 1009 or 1007 before the connection ends.
        self.failByDrop = False
        self.closeHandshakeTimeout = CLOSE_TIMEOUT_SECONDS
        # daphne leaves its HTTP channel registered as the transport's producer: it would stay in memory, and pause
        # reading whenever much is written.
        self.transport.unregisterProducer()
        return super().onConnect(request)

    def serverAccept(self, subprotocol: str | None = None) -> None:  # noqa: N802  daphne's name
        """Complete the handshake."""
        HANDSHAKES.labels("accepted").inc()
        super().serverAccept(subprotocol)

    def serverReject(self) -> None:  # noqa: N802  daphne's name
        """Answer the handshake with 403, because the application closed the WebSocket before it accepted it."""
        HANDSHAKES.labels("refused").inc()
        super().serverReject()

    def failHandshake(  # noqa: N802  autobahn's name
        self,
        reason: str,
        code: int = 400,
        responseHeaders: Iterable[tuple[str, str]] | None = None,  # noqa: N803
    ) -> None:
        """Answer the handshake with an error, and with the headers that the application gave for it."""
        ours = [(name.decode("latin1"), value.decode("latin1")) for name, value in self.refusal_headers]
        super().failHandshake(reason, code, [*(responseHeaders or ()), *ours])

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Do what the application asks for by an ASGI event.

        daphne drops the reason of a close. A close before the handshake is complete may have `headers`, as
        `websocket.accept` has: pairs of name and value, which the 403 gets. ASGI's specification has no such field.
        """
        if message["type"] == "websocket.close":
            code, reason = message.get("code"), message.get("reason") or ""
            if self.state == self.STATE_CONNECTING:
                why = f"code {code}" + (f", {reason!r}" if reason else "")
                logger.info("The application refused the WebSocket %s: %s", self.request.path, why)
                self.refusal_headers = message.get("headers", ())
            self.close_reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
        super().handle_reply(message)

    def handle_exception(self, exception: BaseException) -> None:
        """Answer a handshake with 500, or close with 1011, because the consumer raised."""
        if self.state == self.STATE_CONNECTING:
            HANDSHAKES.labels("failed").inc()
        super().handle_exception(exception)

    def onOpen(self) -> None:  # noqa: N802  autobahn's name
        """Count the open connection, and free what only the handshake needed."""
        internals.free_handshake(self)
        self.is_opened = True
        OPEN_SOCKETS.inc()
        if self.server.pings is not None:
            self.server.pings.add(self)
        super().onOpen()
        if shutdown.draining.is_set():  # the drain began during the handshake
            self.drain(reconnect_in=1)

    # --- Receiving

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """Take complete text frames from the bytes, and leave everything else to autobahn.

        Nearly every read is one complete frame; autobahn's way through fragments would cost more than the answer.
        """
        self.unanswered_pings = 0
        if self.state == self.STATE_OPEN and internals.is_between_frames(self):
            while (found := decode_text_frame(data)) is not None:
                payload, remaining = found
                if len(payload) > self.server.websocket_max_message_size:
                    break  # autobahn closes with 1009
                data = remaining
                self.onMessage(payload, isBinary=False)
        if data:
            super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803  autobahn's names
        """Queue a message for the consumer, and stop reading from a client that is too far ahead of it."""
        FRAMES_RECEIVED.inc()
        super().onMessage(payload, isBinary)
        if self.application_queue.is_full:
            self.transport.pauseProducing()
            reactor.callLater(UNREAD_CHECK_SECONDS, self._resume_reading)

    def _resume_reading(self) -> None:
        if self.state == self.STATE_CLOSED:
            return
        if self.application_queue.is_full:
            reactor.callLater(UNREAD_CHECK_SECONDS, self._resume_reading)
        else:
            self.transport.resumeProducing()

    # --- Pings, unless the consumer sends its own

    def send_ping(self) -> None:
        """Send a protocol ping, or end the connection because nothing has arrived since the last ones."""
        if self.state != self.STATE_OPEN or self.writer is None or self.writer.has_pings:
            self.server.pings.remove(self)
        elif self.unanswered_pings >= MAX_UNANSWERED_PINGS:
            logger.info("The client of the WebSocket %s is gone: it answers no pings", self.path.decode())
            self.dropConnection(abort=True)
        else:
            self.unanswered_pings += 1
            self.sendPing()

    # --- Sending: autobahn's own frames (pong, close) pass Twisted's buffer, and none of ours may overtake them

    def use_writer(self) -> "DirectFrameWriter":
        """Create the connection's writer, with the limit for consumers that send by ASGI events. Returns it."""
        self.writer = DirectFrameWriter(self)
        self.writer.max_pending_bytes = options().max_unsent_bytes
        self.writer.on_overflow = self._on_overflow
        return self.writer

    def _on_overflow(self) -> None:
        size = options().max_unsent_bytes
        logger.warning("Closed the WebSocket %s: its client left %d bytes unread", self.path.decode(), size)
        assert self.writer is not None
        self.writer.close(1013, skip_pending=True)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802  daphne's name
        """Send a message of a consumer that sends by ASGI events."""
        if self.state == self.STATE_CONNECTING:
            self.serverAccept()
        assert self.writer is not None
        FRAMES_SENT.inc()
        self.writer.write(BinaryFrame(content) if binary else Frame(content))

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Write bytes of autobahn's."""
        if self.writer is not None:
            self.writer.invalidate_fast_path()
        super().sendData(data, sync, chopsize)

    def dropConnection(self, abort: bool = False) -> None:  # noqa: N802  autobahn's name
        """End the connection without a close frame."""
        if self.writer is not None:
            self.writer.invalidate_fast_path()
        super().dropConnection(abort)

    # --- The end

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  daphne's name
        """Close with this code after everything that was sent."""
        code = 1000 if code is None else code
        if code in NEVER_SENT_CODES or not 1000 <= code <= 4999:
            logger.warning(
                "The application closed the WebSocket %s with code %d; 1011 is sent", self.path.decode(), code
            )
            code = 1011
        if self.writer is None or self.writer.is_closed:
            self.send_close_frame(code)
        else:
            self.writer.close(code)

    def send_close_frame(self, code: int) -> None:
        """Send a close frame with this very code. autobahn's public sendClose refuses 1003, 1009, 1012 and 1013."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=self.close_reason or None)

    def drain(self, reconnect_in: float) -> None:
        """Close with 1012 (service restart); a consumer that set `on_drain` does it with a last message of its own.

        Args:
            reconnect_in: Seconds after which the client should reconnect.
        """
        if self.writer is not None and self.writer.on_drain is not None:
            self.writer.on_drain(reconnect_in)
        else:
            self.serverClose(1012)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        """Count the closed connection by its code."""
        if self.is_opened:
            if self.server.pings is not None:
                self.server.pings.remove(self)
            OPEN_SOCKETS.dec()
            CLOSES.labels(self.localCloseCode or code or 1006).inc()
        super().onClose(wasClean, code, reason)


@implementer(IPullProducer)
class DirectFrameWriter(FrameWriter):
    """Writes frames straight into the kernel's socket while nothing is unsent before them.

    This saves Twisted's turn through the reactor, which costs more than the send itself. What the kernel does not take
    waits here, frame by frame, and Twisted asks for it (this is its pull producer) when there is room again. Apart from
    Twisted's buffer, whole frames can be counted, limited, and dropped when the client reads too slowly.

    `_is_fast` says that the connection is open and that nothing is unsent in Twisted or here. In a large room the
    memory that is touched for each member costs more than the work, so this one value stands for all the others.
    """

    __slots__ = ("_frames", "_is_fast", "_is_pulling", "_send", "protocol", "transport")

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.transport = protocol.transport
        self._send = internals.socket_send(self.transport)
        self._frames: deque[bytes] | None = None  # created when needed: an empty one takes 760 bytes
        self._is_pulling = False
        self._is_fast = False

    def write(self, frame: Frame) -> None:
        """Send the frame, or queue it behind what is unsent."""
        if not self._is_fast:
            self._check_and_write(frame)
            return
        wire, send = frame.wire, self._send  # an attribute that is a value is found sooner than a method
        try:
            sent = send(wire)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._is_fast = False
            return  # the reactor gets the error as well, and ends the connection
        if sent != len(wire):
            self._is_fast = False
            self.transport.write(wire[sent:])

    def invalidate_fast_path(self) -> None:
        """Check the connection before the next frame: autobahn writes to it, or ends it."""
        self._is_fast = False

    def _check_and_write(self, frame: Frame) -> None:
        if self.is_closed or self.protocol.state != self.protocol.STATE_OPEN:
            return
        if not self._is_pulling and not internals.has_unsent_bytes(self.transport):
            self._is_fast = True
            self.write(frame)
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame.wire)
        if not self._is_pulling:
            self._is_pulling = True
            self.transport.registerProducer(self, streaming=False)
        self.add_pending(len(frame.wire))

    def send_close(self, code: int, last: Frame | None, *, skip_pending: bool) -> None:
        """Hand the last frame to Twisted, then let autobahn send the close frame."""
        self._is_fast = False
        if self.protocol.state != self.protocol.STATE_OPEN:
            return
        frames = [] if skip_pending or self._frames is None else [*self._frames]
        if last is not None:
            frames.append(last.wire)
        self.transport.write(b"".join(frames))  # these bytes cannot be recalled
        self._stop_pulling()
        self.protocol.send_close_frame(code)

    def mark_lost(self) -> None:
        """The connection is lost: send nothing more."""
        super().mark_lost()
        self._is_fast = False

    def resumeProducing(self) -> None:  # noqa: N802  Twisted's name
        """Refill Twisted's buffer when it is empty."""
        if self.protocol.state != self.protocol.STATE_OPEN:
            self._stop_pulling()
        elif not internals.has_unsent_bytes(self.transport):
            size, chunk = 0, []
            while self._frames and size < PULL_BYTES:
                chunk.append(self._frames.popleft())
                size += len(chunk[-1])
            self.pending_bytes -= size
            self.transport.write(b"".join(chunk))
            if not self._frames:
                self._stop_pulling()

    def stopProducing(self) -> None:  # noqa: N802  Twisted's name
        """The connection is lost."""
        self._is_pulling = False
        self._stop_pulling()

    def _stop_pulling(self) -> None:
        self._frames = None
        self.pending_bytes = 0
        if self._is_pulling:
            self._is_pulling = False
            self.transport.unregisterProducer()
