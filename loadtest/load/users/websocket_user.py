"""A locust user with a WebSocket, for any server and any locustfile.

    class Visitor(WebSocketUser):
        @task
        def talk(self):
            self.connect("wss://example.org/socket")
            self.send(b"hello")
            ...

        def on_message(self, payload):
            ...

`connect`, and what `timed` surrounds, appear in locust's own statistics. Frames are read in the background; the hooks
must not wait. For rooms, schedules and the oracle see chat_user.py.
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from locust import User

from loadtest.core.connection import Connection, OpenTimes, open_connection
from loadtest.core.frames import ABNORMAL_CLOSE_CODE, BINARY, CLOSE, PING, PONG, TEXT, Frame
from loadtest.core.handshake import ConnectionClosed, WebSocketError
from loadtest.core.oracle import DeliveryTracker
from loadtest.core.tls import unverified_context
from loadtest.load.gevent_loop import GeventLoop

NORMAL_CLOSE_CODE = 1000


@cache
def shared_loop() -> GeventLoop:
    """Return the loop of all users of this process whose frames are not counted."""
    loop = GeventLoop(decode=lambda _: None)
    loop.start()
    return loop


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return the TLS context of all users of this process."""
    return ssl.create_default_context() if verify else unverified_context()


class WebSocketUser(User):
    """A locust user with one socket at a time.

    Attributes:
        verify: check the server's certificate.
        connection: the open WebSocket; None if there is none.
    """

    abstract = True
    verify = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.connection: Connection | None = None
        self.trackers: dict[str, DeliveryTracker] = {}

    # --- to override

    def on_message(self, payload: bytes) -> None:
        """Act on a text or binary message."""

    def on_close(self, code: int, reason: str) -> None:
        """Act on the end of the connection: by the server's close frame, or by a broken network (1006)."""

    def socket_loop(self) -> GeventLoop:
        """Return the loop that reads for this user."""
        return shared_loop()

    # --- to call

    def connect(
        self, url: str, headers: Mapping[str, str] | None = None, subprotocols: Sequence[str] = (), name: str = ""
    ) -> OpenTimes:
        """Open the socket, and close the one before.

        Args:
            url: ws:// or wss://.
            headers: further headers of the handshake.
            subprotocols: offered in this order.
            name: in locust's statistics; the path of the URL if empty.

        Raises:
            OSError, HandshakeRefused, ConnectionClosed: it could not be opened. Locust counts a failure.
        """
        self.disconnect()
        with self.timed("connect", name or urlsplit(url).path):
            connection, times = open_connection(url, headers or {}, subprotocols, tls_context(verify=self.verify))
        self.connection = connection
        self.socket_loop().add(self)
        return times

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send a message.

        Raises:
            ConnectionClosed: there is no connection, or it has just broken; `on_close` was called then.
        """
        try:
            self.socket_loop().send(self, payload, opcode)
        except (ConnectionClosed, OSError) as error:
            if self.connection is None:
                raise
            self.disconnect()
            self.on_connection_lost(ABNORMAL_CLOSE_CODE, type(error).__name__)
            raise ConnectionClosed(str(error)) from error

    def disconnect(self, code: int | None = None) -> None:
        """Close the socket: with a close frame if there is a code, otherwise as a broken network does."""
        if (connection := self.connection) is None:
            return
        self.connection = None
        if code is not None:
            with suppress(ConnectionClosed, OSError):  # it is closed already
                connection.send(code.to_bytes(2, "big"), CLOSE)
        self.socket_loop().remove(connection)
        connection.drop()

    @contextmanager
    def timed(self, kind: str, name: str) -> Iterator[None]:
        """Report to locust how long the block took, and whether it failed (OSError or WebSocketError)."""
        started, error = time.perf_counter(), None
        try:
            yield
        except (OSError, WebSocketError) as failed:
            error = failed
            raise
        finally:
            self.environment.events.request.fire(
                request_type=kind,
                name=name,
                response_time=(time.perf_counter() - started) * 1000,
                response_length=0,
                exception=error,
                context={},
            )

    # --- what the socket loop calls

    def on_open(self) -> None:
        """Do nothing: `connect` has completed the handshake."""

    def on_frame(self, frame: Frame) -> None:
        """Answer a ping; pass a message on."""
        if frame.opcode == PING:
            with suppress(ConnectionClosed):
                self.send(frame.payload, PONG)
        elif frame.opcode in (TEXT, BINARY):
            self.on_message(frame.payload)

    def on_connection_lost(self, code: int, reason: str) -> None:
        """Forget the connection, and call `on_close`."""
        self.connection = None
        self.on_close(code, reason)

    def start_tracker(self, stream: str, seq: int) -> DeliveryTracker:
        """Begin to follow a stream at this sequence number."""
        tracker = self.trackers[stream] = DeliveryTracker(seq, seq)
        return tracker

    def on_stop(self) -> None:
        """Close the socket when locust stops the user."""
        self.disconnect(NORMAL_CLOSE_CODE)
