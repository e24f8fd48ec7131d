"""The base of a WebSocket consumer whose clients follow streams: see README.md in this folder for a working example.

It is an ASGI application like the consumers of Channels, without their channel and tasks for each socket: the hub has
one channel for the whole process, and each database call cleans up in the thread where it runs.
"""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Generic

from .conf import options
from .frames import MAX_PENDING_BYTES, Frame, Send, frame_writer
from .process import App, shared_process
from .stream import Event, Writer

Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_UNANSWERED_PINGS = 2


class Consumer(Generic[App]):
    """One WebSocket connection.

    A subclass sets `application`, and overrides the methods below whose docstring says so. `key` identifies the user:
    set it by `identify`.

    Attributes:
        application: Creates what the process serves: see channels_realtime.process.Application.
        scope: The ASGI scope of the connection.
        process: What all sockets of this process share.
        writer: Sends frames to the client.
        event_writer: Sends the frames of streams; the same as `writer` unless a subclass replaces it.
        joined_streams: The streams that this connection follows, with the labels by which the client knows them.
        key: The key of the user, or 0 while it is unknown.
        active_at: When the user last sent a command, by the loop's clock; a subclass sets it.
        expects_pong: Whether a client that answers no pings is closed.
    """

    application: ClassVar[type[Any]]
    expects_pong: bool = True
    key = 0
    active_at = 0.0

    @classmethod
    def as_asgi(cls, *arguments: Any, **named: Any) -> Any:
        """Return an ASGI application that creates a consumer with these arguments for each connection.

        Its type is Any, as in Channels: django.urls.path is typed for views.
        """

        async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            await cls(*arguments, **named)(scope, receive, send)

        return application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection, one event after the other (ASGI specification, "WebSocket")."""
        self.scope = scope
        self._send = send
        self.process = shared_process(self._application_class())
        self.writer = frame_writer(scope, send)
        self.writer.max_pending_bytes = MAX_PENDING_BYTES
        self.writer.on_overflow = self._on_overflow
        self.writer.on_drain = self._on_drain
        self.event_writer: Writer = self.writer
        self.joined_streams: dict[str, str] = {}
        self.pings_sent = self.last_pong = 0
        while True:
            message = await receive()
            match message["type"]:
                case "websocket.receive":
                    await self._receive(message.get("text"))
                case "websocket.connect":
                    await self.on_connect()
                case "websocket.disconnect":
                    await self._disconnect(message["code"])
                    return

    def _application_class(self) -> type[App]:
        return self.application

    # --- For subclasses to override

    async def on_connect(self) -> None:
        """Accept or refuse the handshake. Override it to authenticate."""
        await self.accept()

    async def on_text(self, text: str) -> None:
        """Handle a text message of the client. Override it."""

    async def on_disconnect(self, code: int) -> None:
        """Free what the subclass holds; the connection is lost. Override it."""

    def last_message(self, code: int, reason: str, reconnect_in: float | None) -> Frame | None:
        """Return the message that is sent before a close frame, or None. Override it to tell the client the reason.

        Args:
            code: The close code.
            reason: A sentence for the user.
            reconnect_in: Seconds after which the client should reconnect; None when it should not.
        """
        return None

    def ping_message(self, number: int, heads: dict[str, int]) -> Frame | None:
        """Return the ping with this number, or None to send no pings. Override it.

        Args:
            number: Counts from 1; the client's answer goes to `note_pong`.
            heads: The sequence number that each stream which the client follows has reached, by label.
        """
        return None

    # --- The handshake and the end

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})

    def identify(self, key: int) -> None:
        """Set the user of the connection, from now on reach it by `notify_user`, and ping it."""
        self.key = key
        self.process.hub.users.add(self)
        self.process.pings.add(self)
        self.writer.has_pings = type(self).ping_message is not Consumer.ping_message

    def close(self, code: int, reason: str, reconnect_in: float | None = None, *, skip_pending: bool = False) -> None:
        """Send `last_message`, then close with this code. The arguments are those of `last_message`.

        Codes 44xx tell the client not to reconnect before something has changed, 45xx to reconnect and resume.
        `skip_pending` drops what is not sent yet, because the client reads too slowly.
        """
        self.process.pings.remove(self)
        self.writer.close(code, self.last_message(code, reason, reconnect_in), skip_pending=skip_pending)

    async def _disconnect(self, code: int) -> None:
        self.writer.mark_lost()
        for stream in self.joined_streams:
            self.process.hub.leave(stream, self)
        if self.key:
            self.process.pings.remove(self)
            self.process.hub.users.remove(self)
            self.process.sessions.remove(self)
        await self.on_disconnect(code)

    def _on_drain(self, reconnect_in: float) -> None:
        self.close(1012, "The server restarts.", round(reconnect_in, 2))

    def _on_overflow(self) -> None:
        self.close(4508, "The client reads too slowly. Reconnect and resume.", 1, skip_pending=True)

    # --- Messages and pings

    async def _receive(self, text: str | None) -> None:
        if self.writer.is_closed:
            return
        if text is None:
            self.close(1003, "This server accepts only text messages.")
        elif len(text) > (limit := options().max_message_bytes) or len(text.encode()) > limit:
            self.close(1009, f"A message has at most {limit} bytes.")
        else:
            await self.on_text(text)

    def send_ping(self) -> None:
        """Send the next ping, or close the connection because the client has not answered the last ones."""
        if self.pings_sent - self.last_pong >= MAX_UNANSWERED_PINGS and self.expects_pong:
            self.close(4508, f"The client did not answer {MAX_UNANSWERED_PINGS} pings.", 1, skip_pending=True)
            return
        heads = {self.joined_streams[name]: head for name, head in self.process.hub.heads(self.joined_streams).items()}
        if (frame := self.ping_message(self.pings_sent + 1, heads)) is not None:
            self.pings_sent += 1
            self.writer.write(frame)

    def note_pong(self, number: int) -> None:
        """The client has answered the ping with this number."""
        self.last_pong = max(self.last_pong, min(number, self.pings_sent))

    # --- What the hub and the session watch call: see channels_realtime.stream.Member, UserSocket and SessionSocket

    def send_droppable(self, frame: Frame) -> None:
        """Send an ephemeral frame, or drop it because the client reads slowly."""
        self.writer.write_droppable(frame)

    def on_removed(self, stream: str, event: Event) -> None:
        """The user was taken out of the stream by this event. Override it to tell the client, and call this."""
        self.joined_streams.pop(stream, None)

    def on_stream_lost(self, stream: str) -> None:
        """The stream cannot be continued: close, so that the client comes back for a new snapshot."""
        self.close(4510, "The stream began anew. Reconnect.", 0.1)

    def recheck_session(self) -> None:
        """Check now whether the user is still signed in."""
        self.process.sessions.recheck(self)

    def on_signed_out(self) -> None:
        """The session of the connection has ended."""
        self.close(4401, "You are signed out.")
