"""A locust user with a WebSocket, for any server.

    class Visitor(WebSocketUser):
        @task
        def talk(self):
            self.connect("wss://example.org/socket")
            self.send(b"hello")
            ...

        def on_message(self, payload):
            ...

`connect` and what `timed` surrounds appear in locust's own statistics. Frames are read in the background; the hooks
must not wait. For rooms, schedules and the oracle see chat_user.py.
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from locust import User

from loadtest import frames, oracle
from loadtest.connection import Connection, Ended, Opened, Refused, trusting
from loadtest.frames import Frame
from loadtest.reader import Reader

NO_CONNECTION = "there is no connection"


@cache
def own_reader() -> Reader:
    """One for all users of this process whose frames hold nothing that is counted."""
    reader = Reader(study=lambda _: None)
    reader.start()
    return reader


@cache
def tls_context(*, verify: bool) -> ssl.SSLContext:
    return ssl.create_default_context() if verify else trusting()


class WebSocketUser(User):
    """One socket at a time."""

    abstract = True
    verify = True  # the server's certificate

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.connection: Connection | None = None
        self.tracks: dict[str, oracle.Track] = {}

    # --- to override

    def on_message(self, payload: bytes) -> None:
        """A text or binary message came."""

    def on_close(self, code: int, reason: str) -> None:
        """The server has closed, or the line broke (1006)."""

    def reader(self) -> Reader:
        """Who reads for this user."""
        return own_reader()

    # --- to call

    def connect(
        self, url: str, headers: Mapping[str, str] | None = None, subprotocols: Sequence[str] = (), name: str = ""
    ) -> Opened:
        """Open the socket. Raises OSError, Refused or Ended, which locust's statistics show as a failure."""
        self.disconnect()
        connection = Connection(url, headers or {}, subprotocols)
        with self.timed("connect", name or connection.url.path):
            opened = connection.open(tls_context(verify=self.verify))
        self.connection = connection
        self.reader().add(self)
        return opened

    def send(self, payload: bytes, opcode: int = frames.TEXT) -> None:
        """Send a message. Without a connection, or when it breaks, on_close is called and Ended raised."""
        if (connection := self.connection) is None:
            raise Ended(NO_CONNECTION)
        try:
            connection.send(payload, opcode)
        except (Ended, OSError) as error:
            self.disconnect()
            self.ended(1006, type(error).__name__)
            raise Ended(str(error)) from error
        if connection.unsent:
            self.reader().wants_to_write(connection, wants=True)

    def disconnect(self, code: int | None = None) -> None:
        """Hang up: with a close frame when there is a code, else as a line breaks."""
        if (connection := self.connection) is None:
            return
        self.connection = None
        if code is not None:
            with suppress(Ended, OSError):  # gone already
                connection.send(code.to_bytes(2, "big"), frames.CLOSE)
        self.reader().remove(connection)
        connection.drop()

    @contextmanager
    def timed(self, kind: str, name: str) -> Iterator[None]:
        """Tell locust how long the block took, and whether it failed (OSError, Refused, Ended)."""
        began, error = time.perf_counter(), None
        try:
            yield
        except (OSError, Refused, Ended) as failed:
            error = failed
            raise
        finally:
            self.environment.events.request.fire(
                request_type=kind,
                name=name,
                response_time=(time.perf_counter() - began) * 1000,
                response_length=0,
                exception=error,
                context={},
            )

    # --- as the reader sees us

    def heard(self, frame: Frame) -> None:
        if frame.opcode == frames.PING:
            try:
                self.send(frame.payload, frames.PONG)
            except Ended:
                return
        elif frame.opcode in (frames.TEXT, frames.BINARY):
            self.on_message(frame.payload)

    def ended(self, code: int, reason: str) -> None:
        self.connection = None
        self.on_close(code, reason)

    def new_track(self, stream: str, place: int) -> oracle.Track:
        track = self.tracks[stream] = oracle.Track(due=place, start=place)
        return track

    def on_stop(self) -> None:
        self.disconnect(1000)
