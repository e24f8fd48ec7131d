"""A socket of an older chat's client: it works as every socket of the chat, and a codec translates its frames."""

import asyncio
from types import MappingProxyType

import msgspec

from accounts.models import User
from accounts.sessions import session_key_from_cookies
from channels_realtime.database import run_query
from channels_realtime.frames import Frame, FrameWriter
from chat import events, limits
from chat.services import history, rooms
from chat.ws import protocol
from chat.ws.compat.codec import CompatCodec
from chat.ws.consumer import ChatConsumer

WRITE_POLL_SECONDS = 0.05  # between two checks whether a client has read enough of its history

_events_decoder = msgspec.json.Decoder(protocol.Events)


class TranslatingWriter:
    """Translates the event frames of parley.v1, which the hub sends to everybody, for one older client."""

    def __init__(self, writer: FrameWriter, codec: CompatCodec) -> None:
        self._writer = writer
        self._codec = codec

    def write(self, frame: Frame) -> None:
        """Send the client's frames for this one."""
        for translated in self._codec.encode(_events_decoder.decode(frame.text)):
            self._writer.write(translated)


class CompatConsumer(ChatConsumer):
    """A socket without a subprotocol. A cookie or an Authorization header in its handshake replaces hello."""

    expects_pong = False
    codec: CompatCodec  # one for each socket

    def __init__(self, codec: type[CompatCodec]) -> None:
        """Serve a client of this codec."""
        super().__init__()
        self.codec_class = codec

    async def on_connect(self) -> None:
        """Accept the handshake, and authenticate if it has a credential."""
        self.codec = self.codec_class(self.scope["url_route"]["kwargs"]["room"])
        self.event_writer = TranslatingWriter(self.writer, self.codec)
        await super().on_connect()
        scheme, _, token = self._header(b"authorization").partition(" ")
        has_token = scheme.lower() == "bearer"
        if not self.writer.is_closed and (has_token or session_key_from_cookies(self._header(b"cookie"))):
            await self.run_command(protocol.Hello(id=0, token=token if has_token else None))

    def send_droppable(self, frame: Frame) -> None:
        """Drop ephemeral events: these clients do not know them."""

    async def handle_repeated_hello(self, command: protocol.Hello) -> None:
        """Authenticate. A second hello with a token renews the credential."""
        if self.key and command.token is not None:
            await self.handle_auth(protocol.Auth(id=command.id, token=command.token))
        else:
            await self.handle_hello(command)

    async def handle_join_with_history(self, command: protocol.Join) -> None:
        """Join the room from its first stored message on, or from now on: these clients ask for nothing they missed."""
        self.codec.names = await run_query(self.codec.load_names, slug=command.room, user=self.user)
        if self.codec.replays_history:
            await self.enter_room(command.room)
            command.since = await self._send_history(command.room)
        else:
            command.since = protocol.Since(*await run_query(history.current_position, command.room))
        await self.handle_join(command)

    async def _send_history(self, slug: str) -> protocol.Since:
        """Send all stored messages of the room, as fast as the client reads. Returns up to which change they go."""
        last, is_complete = 0, False
        while not is_complete:
            since, last, page = await run_query(_page_after, slug, self.user, last)
            is_complete = not page.more
            for event in page.events:
                while self.writer.is_slow:  # the history closes no client as a slow reader
                    is_complete = False  # others may post meanwhile
                    await asyncio.sleep(WRITE_POLL_SECONDS)
                self.send_reply(protocol.Ok(id=0, events=[event]))
        return since

    def send_joined(self, joined: protocol.Joined) -> None:
        """Send what was posted since the history was read, or close because that is too much."""
        if self.codec.replays_history and not joined.recovered:
            self.on_stream_lost(joined.room)
        else:
            super().send_joined(joined)

    handlers = MappingProxyType(
        {
            **ChatConsumer.handlers,
            protocol.Hello: handle_repeated_hello,
            protocol.Join: handle_join_with_history,
        }
    )


def _page_after(slug: str, user: User, seq: int) -> tuple[protocol.Since, int, history.Page]:
    """Return the next page of messages after `seq`.

    Returns:
        The change up to which the client has everything if this page is the last; the page's last seq; the page.
    """
    head = rooms.get_joined_room(slug, user).head
    page = history.load_page(slug=slug, user=user, after=seq, limit=limits.PAGE)
    last = max((e.message.seq for e in page.events if isinstance(e.message, events.Message)), default=seq)
    return protocol.Since(epoch=history.current_epoch(), seq=max(head, last)), last, page
