"""A socket whose client speaks a dialect: everything is done as for parley.v1, and translated at its edge."""

import asyncio

import msgspec

from accounts.models import User
from accounts.sessions import session_key_from_cookies
from chat import events, limits
from chat.services import history, rooms
from chat.ws import protocol
from chat.ws.consumers import ChatConsumer
from chat.ws.database import query
from chat.ws.dialects import Dialect
from realtime.frames import Frame

_events = msgspec.json.Decoder(protocol.Events)


class AncestralTab(ChatConsumer):
    """Who comes with a cookie or an Authorization header has said hello by that; pings are not answered."""

    subprotocol = None

    def __init__(self, dialect: type[Dialect]) -> None:
        super().__init__()
        self.kind = dialect
        self.names: dict[int, str] = {}

    async def connect(self) -> None:
        self.dialect = self.kind(self.scope["url_route"]["kwargs"]["room"])
        self.parse = self.dialect.hears
        await super().connect()
        self.outlet, self.whisper = self, self.ignore  # as the hub sees us
        headers = {name: value.decode("latin1") for name, value in self.scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        by_token = scheme.lower() == "bearer"
        if not self.socket.closed and (by_token or session_key_from_cookies(headers.get(b"cookie", ""))):
            await self.command(protocol.Hello(id=0, token=token if by_token else None))

    async def on_hello(self, command: protocol.Hello) -> None:
        """Whoever says it again, with a token, goes on with that one."""
        if self.key and command.token is not None:
            await self.on_auth(protocol.Auth(id=command.id, token=command.token))
        else:
            await super().on_hello(command)

    async def on_join(self, command: protocol.Join) -> None:
        self.names = await query(self.dialect.people, slug=command.room, user=self.me)
        if self.dialect.from_the_start:
            await self.enter(command.room)
            command.since = await self.tell_everything(command.room)
        else:  # these clients ask for nothing that was missed, so they are told what is said while they come in
            command.since = protocol.Since(*await query(history.current_position, command.room))
        await super().on_join(command)

    async def tell_everything(self, slug: str) -> protocol.Since:
        """All that is kept of the room, as fast as it is read. Returns up to which change that is complete."""
        last, done = 0, False
        while not done:
            since, last, page = await query(_after, slug, self.me, last)
            done = not page.more
            for event in page.events:
                while self.socket.behind:  # of this much nobody is told that they read too slowly
                    done = False  # meanwhile others talk
                    await asyncio.sleep(0.05)
                self.reply(protocol.Ok(id=0, events=[event]))
        return since

    def beat(self) -> None:
        self.pongs = self.pings
        super().beat()

    def reply(self, frame: protocol.Reply) -> None:
        if self.dialect.from_the_start and isinstance(frame, protocol.Joined) and not frame.recovered:
            self.lost("")
            return
        for said in self.dialect.says(frame, self.names):
            self.socket.write(Frame(msgspec.json.encode(said).decode()))

    def write(self, frame: Frame) -> None:
        self.reply(_events.decode(frame.text))

    def ignore(self, frame: Frame) -> None:
        """Nobody here knows who is typing."""

    def last(self, bye: protocol.Bye) -> Frame:
        (said,) = self.dialect.says(bye, self.names)
        return Frame(msgspec.json.encode(said).decode())


def _after(slug: str, user: User, seq: int) -> tuple[protocol.Since, int, history.Page]:
    """Up to which change one has everything after the next page, if it is the last; its last place; and the page."""
    head = rooms.get_joined_room(slug, user).head
    page = history.load_page(slug=slug, user=user, after=seq, limit=limits.PAGE)
    last = max((e.message.seq for e in page.events if isinstance(e.message, events.Message)), default=seq)
    return protocol.Since(epoch=history.current_epoch(), seq=max(head, last)), last, page
