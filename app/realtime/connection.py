"""One WebSocket of daphne's, with what a chat needs."""

from typing import Any

from autobahn.websocket import protocol as autobahn
from daphne.server import reactor
from daphne.ws_protocol import WebSocketProtocol

from realtime.counts import CLOSES, HANDSHAKES, SOCKETS

INBOUND = 64  # commands of one client that may wait; above it the client is not read
RECHECK = 0.05  # seconds until a client that is not read is looked at again
LAST_WORDS = 10  # seconds that a reader has to answer our close frame, however slowly it reads

# autobahn pretty-prints its options at every connection for a debug line that nobody reads: a tenth of what a
# handshake costs.
vars(autobahn)["pformat"] = repr


class Connection(WebSocketProtocol):
    """Closes with the codes it is told to, counts what happens, and does not drown in a flood."""

    opened = False

    def onConnect(self, request: Any) -> Any:  # noqa: N802  autobahn's name
        # Too large a frame or broken UTF-8: say 1009 or 1007 before hanging up.
        self.failByDrop = False
        self.closeHandshakeTimeout = LAST_WORDS
        # daphne leaves the HTTP channel as the transport's producer: it would hold its memory, and pause reading
        # whenever much is written.
        self.transport.unregisterProducer()
        return super().onConnect(request)

    def onOpen(self) -> None:  # noqa: N802
        self.opened = True
        SOCKETS.inc()
        super().onOpen()

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
