"""A socket of the chat: it runs the commands of parley.v1 by calling chat.services, and decides nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from django.conf import settings
from django.db import Error as DatabaseError

from accounts.models import User
from channels_realtime.conf import PING_INTERVAL_SECONDS
from channels_realtime.consumer import Consumer
from channels_realtime.database import run_query
from channels_realtime.frames import Frame
from channels_realtime.hub import StreamLost
from channels_realtime.publisher import publish_ephemeral
from channels_realtime.rate_limit import TokenBucket
from channels_realtime.stream import Event
from channels_stack import logs
from chat import events, limits
from chat.services import history, messages, rooms
from chat.services.errors import ChatError, RoomNotFound
from chat.services.history import SnapshotRequest
from chat.services.messages import Post, Posted
from chat.ws import protocol
from chat.ws.application import ChatApplication
from chat.ws.authentication import Credential, TokenExpiry, find_credential
from chat.ws.protocol import SUBPROTOCOL, AuthExpiring, Bye, Error, Invalid, Joined, Left, Malformed, Ok, Ping, Welcome
from ops import sentry

logger = logging.getLogger(__name__)

MAX_UNCOMMITTED_POSTS = 64  # of one socket; above it the socket waits
MAX_REFUSALS_PER_BURST = 10  # refused commands, as a multiple of SOCKET_BURST, before the socket is closed
EXTRA_LOOP_TURNS = 4  # in a storm the hello may have arrived and not been read yet


class ChatConsumer(Consumer[ChatApplication]):
    """A socket that speaks parley.v1. On /ws/chat/<room>/ it joins that room by itself after hello."""

    application = ChatApplication
    codec: protocol.Codec = protocol.ParleyV1()
    user: User

    # --- Connecting and closing

    async def on_connect(self) -> None:
        """Accept the handshake, then wait HELLO_SECONDS for a hello.

        Accepting comes before anything else: a slow database must not look like a failed handshake.
        """
        self.connection_id = logs.begin_request(self._header(b"x-request-id"))
        self.command_bucket = TokenBucket(settings.SOCKET_RATE, settings.SOCKET_BURST)
        self.refusals = 0
        self.newest_post: asyncio.Future[Posted] | None = None
        self.uncommitted_posts = 0
        self.token_expiry = TokenExpiry(self._on_token_expiring, self._on_token_expired)
        self.hello_timer: asyncio.Handle = asyncio.get_running_loop().call_later(
            limits.HELLO_SECONDS, self._on_hello_timeout
        )
        offered = self.scope["subprotocols"]
        await self.accept(self.codec.subprotocol if self.codec.subprotocol in offered else None)
        if "unknown" in self.scope["url_route"]["kwargs"]:
            self.close(4400, "There is no socket at this address. Try /ws/.")
        elif self.codec.subprotocol and self.codec.subprotocol not in offered:
            self.close(4400, f"Offer the subprotocol {SUBPROTOCOL}.")

    async def on_disconnect(self, code: int) -> None:
        """Cancel the timers."""
        self.hello_timer.cancel()
        self.token_expiry.cancel()

    def last_message(self, code: int, reason: str, reconnect_in: float | None) -> Frame | None:
        """Return the `bye` frame."""
        self.hello_timer.cancel()
        return next(iter(self.codec.encode(Bye(code=code, reason=reason, reconnect_in=reconnect_in))), None)

    def ping_message(self, number: int, heads: dict[str, int]) -> Frame | None:
        """Return the `ping` frame."""
        return next(iter(self.codec.encode(Ping(n=number, heads=heads))), None)

    def _on_hello_timeout(self, turns: int = EXTRA_LOOP_TURNS) -> None:
        if turns:
            self.hello_timer = asyncio.get_running_loop().call_soon(self._on_hello_timeout, turns - 1)
        else:
            self.close(4408, "The client did not send hello in time.")

    def _header(self, name: bytes) -> str:
        value: bytes = dict(self.scope["headers"]).get(name, b"")
        return value.decode("latin1")

    # --- What the hub reports

    def on_removed(self, stream: str, event: Event) -> None:
        """Tell the client that it is no longer in the room, and why: it left, was removed, or was banned."""
        if slug := self.joined_streams.get(stream):
            change = msgspec.json.decode(event.text, type=events.Event)
            assert change.member is not msgspec.UNSET
            assert change.member.state != "joined"
            self.send_reply(Left(room=slug, reason=change.member.state))
        super().on_removed(stream, event)

    # --- Running a command

    async def on_text(self, text: str) -> None:
        """Run the command in this frame."""
        try:
            command = self.codec.decode(text)
        except Malformed:
            self.close(4400, "The frame is no JSON object.")
        except Invalid as error:
            self.refuse(error.id, "invalid", str(error))
        else:
            await self.run_command(command)

    async def run_command(self, command: protocol.Command) -> None:
        """Check whether the client may send this command now, run its handler, and answer."""
        if isinstance(command, protocol.Pong):
            self.note_pong(command.n)
            return
        logs.COMMAND_ID.set(command.id)
        if wait := self.command_bucket.take():
            self.refuse(command.id, "rate_limited", "Too many commands.", ceil(wait * 100) / 100)
            return
        if not self.key and not isinstance(command, protocol.Hello):
            self.refuse(command.id, "hello_first", "Send hello first.")
            return
        if self.newest_post is not None and (
            self.uncommitted_posts >= MAX_UNCOMMITTED_POSTS or not isinstance(command, protocol.Send)
        ):
            await asyncio.wait([self.newest_post])  # a command sees the messages that were sent before it
        self.active_at = asyncio.get_running_loop().time()
        try:
            with sentry.trace_command(type(command).__name__.lower()):
                await self.handlers[type(command)](self, command)
        except Exception as error:
            self.refuse_failed(command, error)

    def send_reply(self, reply: protocol.Reply) -> None:
        """Send a frame to the client, in the client's own protocol."""
        for frame in self.codec.encode(reply):
            self.writer.write(frame)

    def refuse(self, id: int | str | None, code: str, text: str, retry_after: float | None = None) -> None:
        """Send an `error` frame; after too many of them, close the connection.

        Args:
            id: Of the command, or None if it has no readable one.
            code: A public code of chat.services.errors or of this module.
            text: A sentence for the user.
            retry_after: Seconds after which the command may succeed.
        """
        extra = {} if retry_after is None else {"retry_after": retry_after}
        self.send_reply(Error(id=id, code=code, text=text, **extra))
        self.refusals += 1
        if self.refusals > MAX_REFUSALS_PER_BURST * settings.SOCKET_BURST:
            self.close(4529, "Too many refused commands.", 5)

    def refuse_failed(self, command: protocol.Request, error: Exception) -> None:
        """Refuse a command because of the error that its handler raised."""
        name = type(command).__name__.lower()
        match error:
            case ChatError():
                self.refuse(command.id, error.code, error.text)
            case StreamLost():
                self.refuse(command.id, "unavailable", "The room was reset. Try again.", 0.1)
            case DatabaseError():
                logger.warning("The database refused the command %s: %r", name, error)
                self.refuse(command.id, "unavailable", "The database is away. Try again.", 2)
            case _:
                logger.error("The command %s failed", name, exc_info=error)
                where = f"{self.connection_id}, command {command.id}"
                self.refuse(command.id, "internal", f"The server made a mistake. It is logged as {where}.")

    # --- hello and auth

    async def handle_hello(self, command: protocol.Hello) -> None:
        """Authenticate the socket, and join the room of its address, if there is one."""
        if await self.authenticate(command) and (slug := self.scope["url_route"]["kwargs"].get("room")):
            await self.handlers[protocol.Join](self, protocol.Join(id=command.id, room=slug))

    async def authenticate(self, command: protocol.Hello) -> bool:
        """Answer hello by welcome, or close the connection.

        Returns:
            Whether the client is welcome.

        Raises:
            ChatError: The client sent hello before.
        """
        if self.key:
            raise ChatError("Hello was sent before.")
        self.hello_timer.cancel()
        try:
            credential = await self._find_credential(command.token)
        except DatabaseError:
            self.close(1013, "The database is away.", 2)
            return False
        if credential is None:
            self.close(4401, "Sign in first." if command.token is None else "The access token is not valid.")
            return False
        user = credential.user
        if len(self.process.hub.users.sockets_of(user.pk)) >= limits.SOCKETS_PER_USER:
            self.close(4409, f"You have {limits.SOCKETS_PER_USER} open connections already.")
            return False
        self.user = user
        self.identify(user.pk)
        self._bind_credential(credential)
        self.send_reply(
            Welcome(
                id=command.id,
                user=events.of_person(user),
                connection=self.connection_id,
                ping=PING_INTERVAL_SECONDS,
                limits=protocol.LIMITS,
                server="parley",
            )
        )
        return True

    async def handle_auth(self, command: protocol.Auth) -> None:
        """Continue with a newer access token of the same user."""
        credential = await self._find_credential(command.token)
        if credential is None or credential.user.pk != self.key:
            self.close(4401, "The access token is not valid.")
            return
        self.user = credential.user
        self._bind_credential(credential)
        self.send_reply(Ok(id=command.id))

    async def _find_credential(self, token: str | None) -> Credential | None:
        return await find_credential(self.process.application, token, self._header(b"cookie"))

    def _bind_credential(self, credential: Credential) -> None:
        """Close the connection when this credential ends, instead of the one before."""
        self.process.sessions.add(self, credential.session)
        self.token_expiry.watch(credential.token)

    def _on_token_expiring(self, left: float) -> None:
        self.send_reply(AuthExpiring(in_=round(left)))

    def _on_token_expired(self) -> None:
        self.close(4401, "The access token has expired.")

    # --- join and leave

    async def handle_join(self, command: protocol.Join) -> None:
        """Follow a room: answer with a snapshot, then send every later event."""
        if sum(slug != command.room for slug in self.joined_streams.values()) >= limits.ROOMS_PER_SOCKET:
            raise ChatError(f"A connection follows at most {limits.ROOMS_PER_SOCKET} rooms.")
        hub = self.process.hub
        try:
            await self.join_stream(command, hub.stream_named(command.room) or await self.enter_room(command.room))
        except StreamLost:  # the slug belongs to another room now, or the database was restored from a backup
            await self.join_stream(command, await self.enter_room(command.room))

    async def join_stream(self, command: protocol.Join, stream: str) -> None:
        """Join the room's stream. Joining again is how a client asks for what it missed.

        Raises:
            RoomNotFound: The user may not be in the room.
            StreamLost: The room is not this stream any more.
        """
        hub = self.process.hub
        hub.leave(stream, self)
        self.joined_streams.pop(stream, None)
        since = (command.since.epoch, command.since.seq) if command.since else None
        request = SnapshotRequest(command.room, self.user, since, command.limit)
        with hub.joining(stream, command.room) as join:
            await join.wait_until_open()
            try:
                snapshot = await self.process.application.snapshots.submit(request)
            except RoomNotFound:  # the user is no member yet
                if await self.enter_room(command.room) != stream:
                    raise StreamLost(stream) from None
                snapshot = await self.process.application.snapshots.submit(request)
            await join.catch_up(snapshot)
            # Nothing is awaited from here on, so no event is lost between the snapshot and the stream.
            self.joined_streams[stream] = command.room
            self.send_joined(Joined(id=command.id, room=command.room, **snapshot._asdict()))
            join.complete(self)

    def send_joined(self, joined: Joined) -> None:
        """Send the answer to join."""
        self.send_reply(joined)

    async def enter_room(self, slug: str) -> str:
        """Make the user a member of the room, and return its stream. Raises RoomNotFound."""
        return (await run_query(rooms.join_room, slug=slug, user=self.user)).stream

    async def handle_leave(self, command: protocol.Leave) -> None:
        """End the user's membership."""
        await run_query(rooms.leave_room, slug=command.room, user=self.user)
        self.send_reply(Ok(id=command.id))

    # --- Messages

    async def handle_send(self, command: protocol.Send) -> None:
        """Post a message. It is acknowledged after its commit; meanwhile the client may send the next one."""
        post = Post(command.room, self.user, command.body, command.cid, command.reply_to)
        if not settings.GROUP_COMMIT:
            self._acknowledge(command, await run_query(messages.post_message, **post._asdict()))
            return
        hub = self.process.hub
        delay = hub.coalescing_delay(hub.stream_named(command.room))
        self.newest_post = self.process.application.posts.submit(post, wait=delay)
        self.uncommitted_posts += 1
        self.newest_post.add_done_callback(partial(self._on_committed, command))

    def _on_committed(self, command: protocol.Send, post: "asyncio.Future[Posted]") -> None:
        self.uncommitted_posts -= 1
        try:
            self._acknowledge(command, post.result())
        except Exception as error:
            self.refuse_failed(command, error)

    def _acknowledge(self, command: protocol.Send, posted: Posted) -> None:
        self.send_reply(Ok(id=command.id, message=events.of_message(posted.message).message, dup=posted.dup))

    async def handle_edit(self, command: protocol.Edit) -> None:
        """Change the body of the user's own message."""
        edited = await run_query(
            messages.edit_message, message=command.message, author=self.user, body=command.body, rev=command.rev
        )
        self.send_reply(Ok(id=command.id, message=events.of_message(edited).message))

    async def handle_delete(self, command: protocol.Delete) -> None:
        """Delete a message of the user, or of a room that the user moderates."""
        deleted = await run_query(messages.delete_message, message=command.message, user=self.user)
        self.send_reply(Ok(id=command.id, message=events.of_message(deleted).message))

    async def handle_read(self, command: protocol.Read) -> None:
        """Move the user's read marker."""
        unread = await run_query(rooms.mark_read, slug=command.room, user=self.user, seq=command.seq)
        self.send_reply(Ok(id=command.id, unread=unread))

    async def handle_typing(self, command: protocol.Typing) -> None:
        """Publish that the user is typing, or has stopped."""
        room = await run_query(rooms.get_joined_room, slug=command.room, user=self.user)
        event = events.Ephemeral(room=room.slug, kind="typing", user=events.of_person(self.user), on=command.on)
        publish_ephemeral(room.stream, event.text)
        self.send_reply(Ok(id=command.id))

    async def handle_history(self, command: protocol.History) -> None:
        """Answer with a page of messages."""
        page = await run_query(
            history.load_page,
            slug=command.room,
            user=self.user,
            before=command.before,
            after=command.after,
            limit=command.limit,
        )
        self.send_reply(Ok(id=command.id, events=page.events, more=page.more))

    handlers: ClassVar[Mapping[type, Callable[[Any, Any], Awaitable[None]]]] = MappingProxyType(
        {
            protocol.Hello: handle_hello,
            protocol.Auth: handle_auth,
            protocol.Join: handle_join,
            protocol.Leave: handle_leave,
            protocol.Send: handle_send,
            protocol.Edit: handle_edit,
            protocol.Delete: handle_delete,
            protocol.Read: handle_read,
            protocol.Typing: handle_typing,
            protocol.History: handle_history,
        }
    )
