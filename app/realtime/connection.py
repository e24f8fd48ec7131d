"""One WebSocket of daphne's, with what a chat needs."""

from typing import Any

from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn
from autobahn.websocket.types import ConnectionDeny
from daphne.server import reactor
from daphne.ws_protocol import WebSocketProtocol

from realtime import shutdown
from realtime.direct import DirectSocket
from realtime.frames import whole_text
from realtime.metrics import CLOSES, HANDSHAKES, SOCKETS

INBOUND = 64  # commands of one client that may wait; above it the client is not read
RECHECK = 0.05  # seconds until a client that is not read is looked at again
LAST_WORDS = 60  # seconds that a reader has to come to our close frame: what the kernel holds is read before it

# autobahn pretty-prints its options at every connection, and colours its words at every read, for debug lines that
# nobody reads: a tenth of what a handshake costs, and of what a frame does.
vars(autobahn)["pformat"] = vars(autobahn_twisted)["hltype"] = vars(autobahn_twisted)["hlval"] = lambda value: value


class Connection(WebSocketProtocol):
    """Closes with the codes it is told to, counts what happens, and does not drown in a flood."""

    opened = False
    direct: DirectSocket | None = None  # from the handshake on

    def onConnect(self, request: Any) -> Any:  # noqa: N802  autobahn's name
        if shutdown.draining.is_set():
            # Said at once, and nginx asks the next of us; left in the queue, the client would wait until we are gone.
            HANDSHAKES.labels("leaving").inc()
            raise ConnectionDeny(503, "The server restarts.")  # type: ignore[no-untyped-call]
        # Too large a frame or broken UTF-8: say 1009 or 1007 before hanging up.
        self.failByDrop = False
        self.closeHandshakeTimeout = LAST_WORDS
        # daphne leaves the HTTP channel as the transport's producer: it would hold its memory, and pause reading
        # whenever much is written.
        self.transport.unregisterProducer()
        return super().onConnect(request)

    def onOpen(self) -> None:  # noqa: N802
        # The handshake is over; kept for hours, its text and two parsed copies of it would be 2 KB of every socket.
        self.request.headers = self.http_headers = self.http_request_data = None
        self.opened = True
        SOCKETS.inc()
        super().onOpen()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """Nearly every read is whole frames: autobahn's way through fragments would cost more than the answer."""
        if self.state == self.STATE_OPEN and self.current_frame is None and not self.inside_message and not self.data:
            while (found := whole_text(data)) is not None:
                payload, data = found
                self.onMessage(payload, isBinary=False)
        if data:
            super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        """A flood is read no faster than the application answers."""
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() > INBOUND:
            self.transport.pauseProducing()
            reactor.callLater(RECHECK, self._read_on)

    def _read_on(self) -> None:
        if self.state == self.STATE_CLOSED:
            return
        if self.application_queue.qsize() > INBOUND:
            reactor.callLater(RECHECK, self._read_on)
        else:
            self.transport.resumeProducing()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """autobahn's own frames, pongs and closes, wait in Twisted's buffer: none of ours may overtake them."""
        if self.direct is not None:
            self.direct.look()
        super().sendData(data, sync, chopsize)

    def dropConnection(self, abort: bool = False) -> None:  # noqa: N802
        if self.direct is not None:
            self.direct.look()
        super().dropConnection(abort)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        if self.opened:
            SOCKETS.dec()
            CLOSES.labels(self.localCloseCode or code or 1006).inc()
        super().onClose(wasClean, code, reason)

    def serverAccept(self, subprotocol: str | None = None) -> None:  # noqa: N802  daphne's name
        HANDSHAKES.labels("accepted").inc()
        super().serverAccept(subprotocol)

    def serverReject(self) -> None:  # noqa: N802
        HANDSHAKES.labels("refused").inc()
        super().serverReject()

    def handle_exception(self, exception: BaseException) -> None:
        if self.state == self.STATE_CONNECTING:
            HANDSHAKES.labels("failed").inc()
        super().handle_exception(exception)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        """Close with this very code. autobahn's public sendClose would refuse 1003, 1009, 1012 and 1013."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code)
