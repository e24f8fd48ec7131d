"""One browser tab: its coming and going, its pings, its frames; what is asked in them is the business of others."""

import asyncio
import logging
from math import ceil
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError

from accounts.models import User
from chat import limits
from chat.services.errors import ChatError
from chat.ws import protocol
from chat.ws.process import this_process
from chat.ws.protocol import SUBPROTOCOL, Bye, Error, Invalid, Malformed, Reply
from ops import logs, sentry
from realtime import shutdown
from realtime.frames import Frame
from realtime.hub import StreamLost
from realtime.rate_limit import Bucket
from realtime.socket import sending_side

logger = logging.getLogger(__name__)

UNANSWERED = 64  # messages of one socket on their way to the database; above it the socket waits


class Tab(AsyncWebsocketConsumer):
    """Speaks parley.v1 up to the commands, which are methods on_... of the class that has them."""

    subprotocol: str | None = SUBPROTOCOL  # what a client has to offer
    parse = staticmethod(protocol.parse)
    me: User
    key = 0  # my id, once hello is said
    active = 0.0  # when I last did something, by the loop's clock

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One frame after the other.

        Channels' own loop has a channel and two tasks for each socket, and hops to a thread for each frame to close
        old database connections. The hub has the one channel of this process, and every database call cleans up where
        it runs.
        """
        self.scope, self.base_send = scope, send
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.receive":
                    await self.receive(message.get("text"), message.get("bytes"))
                else:
                    await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            return
        finally:
            shutdown.open_sockets.discard(self)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.disconnect(message["code"])
        raise StopConsumer

    # --- coming and going

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        self.process = this_process()
        self.known_rooms: dict[str, str] = {}  # room's stream -> its slug
        self.connection = logs.begin_request(dict(self.scope["headers"]).get(b"x-request-id", b"").decode("latin1"))
        self.socket = sending_side(self.scope, self.base_send, self.overflow)
        self.outlet, self.whisper = self.socket, self.socket.whisper  # as the hub sees us
        self.bucket = Bucket(settings.SOCKET_RATE, settings.SOCKET_BURST)
        self.pings = self.pongs = 0
        self.refusals = 0
        self.posting: asyncio.Future[Any] | None = None  # the newest message that was sent
        self.unanswered = 0  # messages that are not stored yet
        # Accept before anything else: a slow database must not look like a broken handshake.
        offered = self.scope["subprotocols"]
        await self.accept(self.subprotocol if self.subprotocol in offered else None)
        self.timer: asyncio.Handle = loop.call_later(limits.HELLO_SECONDS, self.no_hello)
        shutdown.open_sockets.add(self)
        if "unknown" in self.scope["url_route"]["kwargs"]:
            self.bye(4400, "There is no socket at this address; try /ws/.")
        elif self.subprotocol and self.subprotocol not in offered:
            self.bye(4400, f"Offer the subprotocol {SUBPROTOCOL}.")
        elif shutdown.draining.is_set():
            self.restart(1)

    async def disconnect(self, code: int) -> None:
        self.timer.cancel()
        self.socket.forget()
        for stream in self.known_rooms:
            self.process.hub.leave(stream, self)
        if self.key:
            self.process.pulse.end(self)
            self.process.hub.people.go(self)
            self.process.sessions.forget(self)

    def bye(self, code: int, reason: str, reconnect_in: float | None = None, *, skip: bool = False) -> None:
        """Say why, then close. Codes 44xx: do not come back until something changes."""
        self.timer.cancel()
        self.process.pulse.end(self)
        self.socket.close(code, self.last(Bye(code=code, reason=reason, reconnect_in=reconnect_in)), skip=skip)

    def last(self, bye: Bye) -> Frame:
        return Frame(protocol.encode(bye))

    def no_hello(self, turns: int = 4) -> None:
        """Give up on the hello, after a few more turns of the loop: in a storm it lies here, only unread."""
        if turns:
            self.timer = asyncio.get_running_loop().call_soon(self.no_hello, turns - 1)
        else:
            self.bye(4408, "No hello came.")

    def restart(self, reconnect_in: float) -> None:
        self.bye(1012, "The server restarts.", round(reconnect_in, 2))

    def overflow(self) -> None:
        self.bye(4508, "You read too slowly; come back and resume.", 1, skip=True)

    def beat(self) -> None:
        """Every PING_SECONDS: a ping with the heads of rooms."""
        if self.pings - self.pongs >= 2:
            self.bye(4508, "No answer to two pings.", 1, skip=True)
            return
        self.pings += 1
        heads = {self.known_rooms[stream]: head for stream, head in self.process.hub.heads(self.known_rooms).items()}
        self.reply(protocol.Ping(n=self.pings, heads=heads))

    def doubt(self) -> None:
        self.process.sessions.doubt(self)

    def signed_out(self) -> None:
        self.bye(4401, "You are signed out.")

    # --- as the hub sees us

    def dropped(self, stream: str) -> None:
        if room := self.known_rooms.pop(stream, None):
            self.reply(protocol.Left(room=room, reason="left"))

    def lost(self, stream: str) -> None:
        self.bye(4510, "The room began anew; come back.", 0.1)

    # --- frames

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.socket.closed:
            return
        if text_data is None:
            self.bye(1003, "Only text frames, please.")
        elif len(text_data) > limits.FRAME_BYTES or len(text_data.encode()) > limits.FRAME_BYTES:
            self.bye(1009, f"A frame has at most {limits.FRAME_BYTES} bytes.")
        else:
            try:
                await self.command(self.parse(text_data))
            except Malformed:
                self.bye(4400, "That was no JSON object.")
            except Invalid as error:
                self.refuse(error.id, "invalid", str(error))

    async def command(self, command: protocol.Command) -> None:
        if isinstance(command, protocol.Pong):
            self.pongs = max(self.pongs, min(command.n, self.pings))
            return
        logs.COMMAND_ID.set(command.id)
        if wait := self.bucket.take():
            self.refuse(command.id, "rate_limited", "Too many commands.", ceil(wait * 100) / 100)
            return
        if not self.key and not isinstance(command, protocol.Hello):
            self.refuse(command.id, "hello_first", "Say hello first.")
            return
        if self.posting is not None and (self.unanswered >= UNANSWERED or not isinstance(command, protocol.Send)):
            await asyncio.wait([self.posting])  # a command finds done what was sent before it
        self.active = asyncio.get_running_loop().time()
        name = type(command).__name__.lower()
        try:
            with sentry.trace_command(name):
                await getattr(self, f"on_{name}")(command)
        except Exception as error:
            self.failed(command, error)

    def failed(self, command: protocol.Request, error: Exception) -> None:
        """Say why the command was not done."""
        if isinstance(error, ChatError):
            self.refuse(command.id, error.code, error.text)
        elif isinstance(error, StreamLost):
            self.refuse(command.id, "unavailable", "The room began anew; try again.", 0.1)
        elif isinstance(error, DatabaseError):
            logger.warning("The database refused %s: %r", type(command).__name__, error)
            self.refuse(command.id, "unavailable", "The database is away; try again.", 2)
        else:
            name = type(command).__name__
            logger.error("Bug in the command %s", name, exc_info=error)
            where = f"{self.connection}, command {command.id}"
            self.refuse(command.id, "internal", f"Our mistake; it is logged as {where}.")

    def reply(self, frame: Reply) -> None:
        self.socket.write(Frame(protocol.encode(frame)))

    def refuse(self, id: int | str | None, code: str, text: str, retry_after: float | None = None) -> None:
        extra = {} if retry_after is None else {"retry_after": retry_after}
        self.reply(Error(id=id, code=code, text=text, **extra))
        self.refusals += 1
        if self.refusals > 10 * settings.SOCKET_BURST:
            self.bye(4529, "Too many refused commands.", 5)
