"""The WebSocket server: daphne, with what production needs and daphne lacks.

    python -m channels_realtime.server --unix /run/mysite/ws-1.sock mysite.asgi:application

It serves the consumers of any Channels project. It sends exact close codes, accepts a storm of handshakes, limits
messages, pings clients, and tells systemd its state. SIGTERM drains it: every socket is closed with 1012, spread over
DRAIN_SECONDS, before the process ends. SIGHUP starts a successor first (handover.py).
"""

import argparse
import asyncio
import gc
import logging
import os
import random
import signal
import sys
import threading
from typing import Any

from daphne import endpoints
from daphne.server import Server, reactor
from daphne.ws_protocol import WebSocketFactory
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from twisted.internet.address import UNIXAddress

from . import conf, internals, shutdown
from .connection import Connection, DirectFrameWriter, ReceiveQueue
from .frames import DIRECT_WRITER
from .handover import Handover, signal_predecessor
from .heartbeat import Heartbeat
from .loop_lag import LoopLag
from .metrics import PENDING_BYTES
from .ping_scheduler import PingScheduler
from .systemd import feed_watchdog, notify, watchdog_seconds

logger = logging.getLogger(__name__)

BACKLOG = 4096  # handshakes that may wait; daphne's 50 lost a third of 2,000 simultaneous clients
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "3"))
DRAIN_GRACE_SECONDS = 2  # after the drain, for the last close handshakes, and for consumers to handle disconnects
EXIT_TIMEOUT_SECONDS = 5  # after that, for consumers that do not end; then the process ends without them
DRAIN_CHECK_SECONDS = 0.05  # between two checks whether all sockets are closed


class DrainingServer(Server):
    """daphne's server with our connections, a drain, and a handover to a successor."""

    has_failed = False
    pings: PingScheduler | None = None
    connections: dict[Any, dict[str, Any]]  # daphne's own

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        WebSocketFactory.protocol = Connection
        self.writers: set[DirectFrameWriter | None] = set()
        self.opening: set[Any] = set()  # connections that are no open WebSockets, or were none at the last check
        self.ended: set[Any] = set()  # connections that are lost, or whose application has ended
        self.ports: list[Any] = []
        self.handover = Handover()
        self.heartbeat = Heartbeat()
        if interval := conf.options().ping_interval_seconds:
            self.pings = PingScheduler(interval)
        PENDING_BYTES.set_function(lambda: sum(writer.pending_bytes for writer in self.writers if writer))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reactor.callFromThread(self.drain))
        if "LISTEN_FDNAMES" in os.environ:
            signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(self.handover.start_successor))
        reactor.callWhenRunning(self._report_ready)
        super().run()

    def _report_ready(self) -> None:
        # What is imported by now stays, and thousands of sockets are not searched for garbage every few hundred frames.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        LoopLag().start()
        self.heartbeat = Heartbeat(_address_of(self.ports[0]) if self.ports else "")
        self.heartbeat.start()
        if not signal_predecessor():
            notify("READY=1", f"STATUS=Listening on {', '.join(self.endpoints)}")
        if seconds := watchdog_seconds():
            reactor.callLater(seconds / 3, self._notify_watchdog, seconds / 3)

    def _notify_watchdog(self, interval: float) -> None:
        # From the event loop: when the loop is blocked, systemd hears nothing and restarts the process.
        feed_watchdog()
        reactor.callLater(interval, self._notify_watchdog, interval)

    # --- daphne calls these

    def listen_success(self, port: Any) -> None:
        """Remember a listening port."""
        self.ports.append(port)
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        """Remember that the exit code is 1."""
        self.has_failed = True
        super().listen_error(failure)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application of a connection; a WebSocket's gets the direct writer. Returns its receive queue."""
        if scope["type"] != "websocket":
            queue = super().create_application(protocol, scope)
        else:
            writer = protocol.use_writer()
            self.writers.add(writer)
            scope |= {"asgi": {"version": "3.0"}, "extensions": {DIRECT_WRITER: writer}}
            queue = ReceiveQueue()
            internals.start_websocket_application(self, protocol, scope, queue)
        self.connections[protocol]["application_instance"].add_done_callback(lambda _: self.ended.add(protocol))
        return queue

    def protocol_connected(self, protocol: Any) -> None:
        """Remember a new connection."""
        super().protocol_connected(protocol)
        self.opening.add(protocol)

    def protocol_disconnected(self, protocol: Any) -> None:
        """Forget a lost connection."""
        super().protocol_disconnected(protocol)
        self.ended.add(protocol)
        self.writers.discard(getattr(protocol, "writer", None))

    def application_checker(self) -> None:
        """Clean up after the connections whose application has ended, or that are lost."""
        with internals.limit_checks_to(self, self.ended):
            super().application_checker()
        self.ended &= self.connections.keys()

    def timeout_checker(self) -> None:
        """Close the connections whose handshake or request takes too long."""
        self.opening = {protocol for protocol in self.opening if not getattr(protocol, "is_opened", False)}
        with internals.limit_checks_to(self, self.opening):
            super().timeout_checker()
        self.opening &= self.connections.keys()

    # --- The end

    def drain(self) -> None:
        """Take no more handshakes (Connection answers 503), close every socket with 1012, then stop."""
        if shutdown.draining.is_set():
            return
        is_replaced = self.handover.complete()
        if is_replaced:
            for port in self.ports:
                port.stopReading()  # new clients are the successor's
        else:
            notify("STOPPING=1")
        shutdown.draining.set()
        self.leaving = asyncio.ensure_future(self.heartbeat.stop(is_replaced=is_replaced))
        sockets = [protocol for protocol in self.connections if getattr(protocol, "is_opened", False)]
        logger.info("Closing %d sockets within %g s", len(sockets), DRAIN_SECONDS)
        loop = asyncio.get_event_loop()
        for number, socket in enumerate(sockets):
            # Seconds. Short, because the closes are spread already, and a start (some 2 s) may come on top.
            reconnect_in = 0.1 + random.random() / 2  # noqa: S311  not a secret
            loop.call_later(DRAIN_SECONDS * number / len(sockets), socket.drain, reconnect_in)
        self._stop_when_empty(loop.time() + DRAIN_SECONDS + DRAIN_GRACE_SECONDS)

    def _stop_when_empty(self, deadline: float) -> None:
        loop = asyncio.get_event_loop()
        remaining = sum(map(_is_in_use, self.connections.values()))
        if (remaining or not self.leaving.done()) and loop.time() < deadline:
            loop.call_later(DRAIN_CHECK_SECONDS, self._stop_when_empty, deadline)
            return
        if remaining:
            logger.warning("Cancelling %d applications that did not end in time", remaining)
        self._exit_at_the_latest(EXIT_TIMEOUT_SECONDS)
        self.stop()

    def _exit_at_the_latest(self, seconds: float) -> None:
        """End the process after so many seconds, also if a consumer ignores its cancellation or blocks a thread."""
        timer = threading.Timer(seconds, os._exit, [1 if self.has_failed else 0])
        timer.daemon = True
        timer.start()

    def kill_all_applications(self) -> Any:
        """Cancel the applications that have not ended. daphne fails here at a connection whose application has."""
        self.connections = {
            protocol: details for protocol, details in self.connections.items() if "application_instance" in details
        }
        return super().kill_all_applications()


def _address_of(port: Any) -> str:
    """Return where a port of Twisted listens: the path of a unix socket, or HOST:PORT."""
    address = port.getHost()
    if isinstance(address, UNIXAddress):
        return os.fsdecode(address.name or b"")
    return f"{address.host}:{address.port}"


def _is_in_use(details: dict[str, Any]) -> bool:
    """Return whether a connection is open, or its application has not ended yet."""
    application = details.get("application_instance")
    return "disconnected" not in details or (application is not None and not application.done())


def serve(application: Any, options: argparse.Namespace) -> int:
    """Serve an ASGI application where the parsed options say. Returns the exit code."""
    size = conf.options().max_message_bytes
    internals.keep_systemd_sockets(backlog=BACKLOG)
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
        ping_interval=3600,  # daphne's own pings are not used: see Connection.send_ping
        websocket_max_message_size=size,
        websocket_max_frame_size=size,
        verbosity=0,
    )
    server.run()
    return 1 if server.has_failed else 0


def parse_address(text: str) -> tuple[str, int]:
    """Parse HOST:PORT. Raises argparse.ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


class ApplicationNotFound(Exception):
    """There is no application of this name."""


def load_application(name: str | None) -> Any:
    """Import an ASGI application by `module:attribute`, or the one that the Django settings name.

    Raises:
        ApplicationNotFound: There is no such module or attribute, or no name. What the module raises is raised as well.
    """
    if name is None:
        if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
            raise ApplicationNotFound("name the ASGI application, MODULE:ATTRIBUTE, or set DJANGO_SETTINGS_MODULE")
        name = getattr(settings, "ASGI_APPLICATION", None)
        if not name:
            raise ApplicationNotFound("the Django settings have no ASGI_APPLICATION; name the application")
    path = name.replace(":", ".")
    try:
        return import_string(path)
    except ModuleNotFoundError as error:
        if error.name and f"{path}.".startswith(f"{error.name}."):
            raise ApplicationNotFound(f"there is no module {error.name!r}: {name!r} must be MODULE:ATTRIBUTE") from None
        raise
    except ImportError as error:
        if error.name is not None:
            raise  # the module itself imports a name that is not there
        raise ApplicationNotFound(f"{name!r} is no ASGI application: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, import the application, and serve it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m channels_realtime.server", description=__doc__)
    parser.add_argument("--unix", action="append", default=[], metavar="PATH", help="listen on this unix socket")
    parser.add_argument(
        "--tcp", action="append", default=[], type=parse_address, metavar="HOST:PORT", help="listen on this address"
    )
    parser.add_argument(
        "--systemd",
        action="append",
        default=[],
        metavar="NAME",
        help="listen on the socket that systemd passes with this FileDescriptorName",
    )
    parser.add_argument(
        "application",
        nargs="?",
        metavar="MODULE:ATTRIBUTE",
        help="the ASGI application (default: ASGI_APPLICATION of the Django settings)",
    )
    options = parser.parse_args(arguments)
    if not (options.unix or options.tcp or options.systemd):
        parser.error("say where to listen: --unix PATH, --tcp HOST:PORT or --systemd NAME")
    try:
        application = load_application(options.application)
        conf.options()
    except (ImproperlyConfigured, ApplicationNotFound) as error:
        parser.error(str(error))
    if (name := os.environ.get("ASGI_SERVER", "")) not in ("", "daphne"):
        logger.warning("ASGI_SERVER=%s is ignored: the server is daphne. Remove the variable.", name)
    return serve(application, options)


if __name__ == "__main__":
    sys.exit(main())
