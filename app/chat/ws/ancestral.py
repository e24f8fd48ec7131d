"""A socket whose client speaks a dialect: everything is done as for parley.v1, and translated at its edge."""

import msgspec

from accounts.sessions import session_key_in
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
        self.write, self.whisper = self.translate, self.ignore  # as the hub sees us
        headers = {name: value.decode("latin1") for name, value in self.scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        by_token = scheme.lower() == "bearer"
        if not self.socket.closed and (by_token or session_key_in(headers.get(b"cookie", ""))):
            await self.command(protocol.Hello(id=0, token=token if by_token else None))

    async def on_join(self, command: protocol.Join) -> None:
        self.names = await query(self.dialect.people, slug=command.room, user=self.me)
        await super().on_join(command)

    def beat(self) -> None:
        self.pongs = self.pings
        super().beat()

    def reply(self, frame: protocol.Reply) -> None:
        for said in self.dialect.says(frame, self.names):
            self.socket.write(Frame(msgspec.json.encode(said).decode()))

    def translate(self, frame: Frame) -> None:
        self.reply(_events.decode(frame.text))

    def ignore(self, frame: Frame) -> None:
        """Nobody here knows who is typing."""

    def last(self, bye: protocol.Bye) -> Frame:
        (said,) = self.dialect.says(bye, self.names)
        return Frame(msgspec.json.encode(said).decode())
