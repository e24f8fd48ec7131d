"""The WebSocket server: daphne, with what production needs and it lacks.

    python -m realtime.server --unix /run/parley/ws-1.sock

Close codes arrive as they are meant, a storm of clients fits into the backlog, frames have our size, systemd is told
what happens, and SIGTERM says goodbye to every socket, spread over DRAIN_SECONDS, before the process ends. SIGHUP
starts a new process first (handover.py).
ASGI_SERVER=uvicorn serves the same application with uvicorn instead.
"""

import argparse
import asyncio
import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from daphne import endpoints
from daphne.server import Server, reactor
from daphne.ws_protocol import WebSocketFactory
from django.utils.module_loading import import_string

from realtime import shutdown
from realtime.connection import Connection
from realtime.direct import DirectSocket
from realtime.handover import Successor, follow
from realtime.heartbeat import Heartbeat
from realtime.inbox import Inbox
from realtime.loop_lag import LoopLag
from realtime.metrics import WAITING
from realtime.socket import DIRECT
from realtime.systemd import leave_sockets_alone, notify, watchdog_seconds

logger = logging.getLogger(__name__)

BACKLOG = 4096  # handshakes that may wait; daphne's 50 lost a third of 2,000 simultaneous clients
FRAME_BYTES = 64 * 1024  # equals chat.limits.FRAME_BYTES, which this package must not import
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "3"))


class DrainingServer(Server):
    """daphne's server with our connections, and a slow goodbye."""

    failed = False
    connections: dict[Any, dict[str, Any]]  # daphne's own

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        WebSocketFactory.protocol = Connection
        self.sockets: set[DirectSocket | None] = set()
        self.young: set[Any] = set()  # connections that are no open WebSockets, or were none a moment ago
        self.ended: set[Any] = set()  # connections that are lost, or whose application is done
        self.ports: list[Any] = []
        self.successor = Successor()
        WAITING.set_function(lambda: sum(socket.waiting for socket in self.sockets if socket))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reactor.callFromThread(self.drain))
        if "LISTEN_FDNAMES" in os.environ:
            signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(self.successor.start))
        reactor.callWhenRunning(self._say_ready)
        super().run()

    def _say_ready(self) -> None:
        # What is imported by now stays; and thousands of sockets are not looked through for garbage after each few
        # hundred frames.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        LoopLag().start()
        self.heartbeat = Heartbeat()
        self.heartbeat.start()
        if not follow():
            notify("READY=1", f"STATUS=Listening on {', '.join(self.endpoints)}")
        if seconds := watchdog_seconds():
            reactor.callLater(seconds / 3, self._feed, seconds / 3)

    def _feed(self, every: float) -> None:
        # From the event loop: a loop that is stuck feeds nothing, and systemd starts us again.
        notify("WATCHDOG=1")
        reactor.callLater(every, self._feed, every)

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        self.failed = True
        super().listen_error(failure)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """daphne's, but a WebSocket has a lean inbox, and its application is offered the direct way into the socket."""
        if scope["type"] != "websocket":
            inbox = super().create_application(protocol, scope)
        else:
            protocol.direct = DirectSocket(protocol)
            self.sockets.add(protocol.direct)
            scope |= {"asgi": {"version": "3.0"}, "extensions": {DIRECT: protocol.direct}}
            inbox = Inbox()
            application = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
            self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        self.connections[protocol]["application_instance"].add_done_callback(lambda _: self.ended.add(protocol))
        return inbox

    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        self.young.add(protocol)

    def protocol_disconnected(self, protocol: Any) -> None:
        super().protocol_disconnected(protocol)
        self.ended.add(protocol)
        self.sockets.discard(getattr(protocol, "direct", None))

    # Every second or two daphne looks at each connection: whether it is over, whether its time is up. With thousands
    # that would cost as much as their messages, so it is shown only those where there may be something to see.

    def application_checker(self) -> None:
        with self._showing(self.ended):
            super().application_checker()
        self.ended &= self.connections.keys()

    def timeout_checker(self) -> None:
        self.young = {one for one in self.young if not getattr(one, "opened", False)}
        with self._showing(self.young):
            super().timeout_checker()
        self.young &= self.connections.keys()

    @contextmanager
    def _showing(self, some: set[Any]) -> Iterator[None]:
        """Let daphne see only these connections; whom of them it forgets is forgotten."""
        everybody = self.connections
        shown = some & everybody.keys()
        self.connections = {one: everybody[one] for one in shown}
        try:
            yield
        finally:
            for gone in shown - self.connections.keys():
                del everybody[gone]
            self.connections = everybody

    def drain(self) -> None:
        """Take no more sockets (Connection says 503), close those we have with 1012, then stop."""
        if shutdown.draining.is_set():
            return
        if self.successor.take_over():
            for port in self.ports:
                port.stopReading()  # who knocks now is the successor's
        else:
            notify("STOPPING=1")
        shutdown.draining.set()
        sockets = list(shutdown.open_sockets)
        logger.info("Closing %d sockets within %g s", len(sockets), DRAIN_SECONDS)
        loop = asyncio.get_event_loop()
        for number, socket in enumerate(sockets):
            # Seconds; short, because the goodbyes are spread already, and a start (some 2 s) may come on top.
            jitter = 0.1 + random.random() / 2  # noqa: S311  not a secret
            loop.call_later(DRAIN_SECONDS * number / len(sockets), socket.restart, jitter)
        self._stop_when_empty(loop.time() + DRAIN_SECONDS + 2)

    def _stop_when_empty(self, deadline: float) -> None:
        loop = asyncio.get_event_loop()
        if any("disconnected" not in details for details in self.connections.values()) and loop.time() < deadline:
            loop.call_later(0.05, self._stop_when_empty, deadline)
        else:
            self.stop()


def serve_with_daphne(application: Any, options: argparse.Namespace) -> int:
    """Returns the exit code."""
    leave_sockets_alone(backlog=BACKLOG)
    listen = [f"unix:{path}:backlog={BACKLOG}:mode=660" for path in options.unix]
    listen += [f"systemd:domain=UNIX:name={name}" for name in options.systemd]
    for host, port in options.tcp:
        strings = endpoints.build_endpoint_description_strings(host=host, port=port)
        listen += [f"{string}:backlog={BACKLOG}" for string in strings]
    server = DrainingServer(
        application,
        endpoints=listen,
        signal_handlers=False,
        websocket_timeout=-1,  # daphne would close every socket after a day
        ping_interval=3600,  # our own pings carry the heads of rooms, and tell a dead client
        websocket_max_message_size=FRAME_BYTES,
        websocket_max_frame_size=FRAME_BYTES,
        verbosity=0,
        server_name="parley",
    )
    server.run()
    return 1 if server.failed else 0


def serve_with_uvicorn(application: Any, options: argparse.Namespace) -> int:
    """Returns the exit code. uvicorn closes its sockets with 1012 by itself, all at once."""
    import uvicorn  # noqa: PLC0415  only here: it is the other server

    if options.systemd or len(options.unix) + len(options.tcp) != 1:
        sys.exit("uvicorn listens in one place: --unix PATH or --tcp HOST:PORT.")
    where = {"uds": options.unix[0]} if options.unix else dict(zip(("host", "port"), options.tcp[0], strict=True))
    uvicorn.run(
        application,
        **where,
        loop="uvloop",
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    return 0


SERVERS = {"daphne": serve_with_daphne, "uvicorn": serve_with_uvicorn}


def address(text: str) -> tuple[str, int]:
    """HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, import the application, and serve."""
    parser = argparse.ArgumentParser(prog="python -m realtime.server", description=__doc__)
    parser.add_argument("--unix", action="append", default=[], metavar="PATH", help="listen on this unix socket")
    parser.add_argument("--tcp", action="append", default=[], type=address, metavar="HOST:PORT", help="or here")
    parser.add_argument(
        "--systemd", action="append", default=[], metavar="NAME", help="or on systemd's FileDescriptorName"
    )
    parser.add_argument("application", nargs="?", default="config.asgi:application", help="the ASGI application")
    options = parser.parse_args(arguments)
    if not (options.unix or options.tcp or options.systemd):
        parser.error("say where to listen: --unix PATH, --tcp HOST:PORT or --systemd NAME")
    name = os.environ.get("ASGI_SERVER") or "daphne"
    if name not in SERVERS:
        parser.error(f"ASGI_SERVER is {name!r}: it must be daphne or uvicorn")
    return SERVERS[name](import_string(options.application.replace(":", ".")), options)


if __name__ == "__main__":
    sys.exit(main())
