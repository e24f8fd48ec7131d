"""The WebSocket server: daphne, with what production needs and it lacks.

    python -m realtime.server --unix /run/parley/ws-1.sock

Close codes arrive as they are meant, a storm of clients fits into the backlog, frames have our size, and SIGTERM says
goodbye to every socket, spread over DRAIN_SECONDS, before the process ends.
"""

import argparse
import asyncio
import logging
import os
import random
import signal
from typing import Any

from daphne import endpoints
from daphne.server import Server, reactor
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.utils.module_loading import import_string

from realtime import farewell
from realtime.direct import DirectWriter
from realtime.socket import DIRECT

logger = logging.getLogger(__name__)

BACKLOG = 4096  # handshakes that may wait; daphne's 50 lost a third of 2,000 simultaneous clients
INBOUND = 64  # commands of one client that may wait; above it the client is not read
RECHECK = 0.05  # seconds until a client that is not read is looked at again
FRAME_BYTES = 64 * 1024  # equals chat.limits.FRAME_BYTES, which this package must not import
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "3"))


class Protocol(WebSocketProtocol):
    """A WebSocket connection."""

    def onConnect(self, request: Any) -> Any:  # noqa: N802  autobahn's name
        # Too large a frame or broken UTF-8: say 1009 or 1007 before hanging up.
        self.failByDrop = False
        # daphne leaves the HTTP channel as the transport's producer: it would hold its memory, and pause reading
        # whenever much is written.
        self.transport.unregisterProducer()
        return super().onConnect(request)

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

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  daphne's name
        """Close with this very code. autobahn's public sendClose would refuse 1003, 1009, 1012 and 1013."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code)


class ParleyServer(Server):
    """daphne's server with our protocol, and a slow goodbye."""

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        WebSocketFactory.protocol = Protocol
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reactor.callFromThread(self.drain))
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Offer the application the direct way into its socket."""
        if scope["type"] == "websocket":
            scope["extensions"] = {DIRECT: DirectWriter(protocol)}
        return super().create_application(protocol, scope)

    def drain(self) -> None:
        """Take no more connections, close those we have with 1012, then stop."""
        if farewell.leaving.is_set():
            return
        for listener in self.listeners:
            listener.addCallback(lambda port: port.stopListening())
        farewell.leaving.set()
        sockets = list(farewell.sockets)
        logger.info("Closing %d sockets within %g s", len(sockets), DRAIN_SECONDS)
        loop = asyncio.get_event_loop()
        for number, socket in enumerate(sockets):
            jitter = 0.1 + 2 * random.random()  # noqa: S311  seconds, not a secret
            loop.call_later(DRAIN_SECONDS * number / len(sockets), socket.restart, jitter)
        self._stop_when_empty(loop.time() + DRAIN_SECONDS + 2)

    def _stop_when_empty(self, deadline: float) -> None:
        loop = asyncio.get_event_loop()
        if any("disconnected" not in details for details in self.connections.values()) and loop.time() < deadline:
            loop.call_later(0.05, self._stop_when_empty, deadline)
        else:
            self.stop()


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, import the application, and serve."""
    parser = argparse.ArgumentParser(prog="python -m realtime.server", description=__doc__)
    parser.add_argument("--unix", action="append", default=[], metavar="PATH", help="listen on this unix socket")
    parser.add_argument("--tcp", action="append", default=[], metavar="HOST:PORT", help="listen on this address")
    parser.add_argument("application", nargs="?", default="config.asgi:application", help="the ASGI application")
    options = parser.parse_args(arguments)
    listen = [f"unix:{path}:backlog={BACKLOG}:mode=660" for path in options.unix]
    for address in options.tcp:
        host, separator, port = address.rpartition(":")
        if not separator or not port.isdigit():
            parser.error(f"--tcp takes HOST:PORT, not {address!r}")
        listen += [
            f"{description}:backlog={BACKLOG}"
            for description in endpoints.build_endpoint_description_strings(host=host, port=int(port))
        ]
    if not listen:
        parser.error("say where to listen: --unix PATH or --tcp HOST:PORT")

    ParleyServer(
        import_string(options.application.replace(":", ".")),
        endpoints=listen,
        signal_handlers=False,
        websocket_timeout=-1,  # daphne would close every socket after a day
        ping_interval=3600,  # our own pings carry the heads of rooms, and tell a dead client
        websocket_max_message_size=FRAME_BYTES,
        websocket_max_frame_size=FRAME_BYTES,
        verbosity=0,
        server_name="parley",
    ).run()


if __name__ == "__main__":
    main()
