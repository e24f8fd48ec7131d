"""The chats whose client says {"message"} and hears who said what: one room, and no other command.

Ours are `{"token"}`, for browsers without a cookie: first, and again before it ends; and `{"error"}`.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType

from chat import events
from chat.ws import protocol
from chat.ws.dialects import Dialect, decoded, words
from chat.ws.protocol import Invalid, Token


class _Said(msgspec.Struct):
    """What else is in it, such as `user_name`, is not read: the credential says who speaks."""

    message: str | UnsetType = UNSET
    token: Token | UnsetType = UNSET


_said = msgspec.json.Decoder(_Said)


class Plain(Dialect):
    """All but what a message looks like."""

    def __init__(self, room: str) -> None:
        self.room = room
        self._ids = count(1)

    @staticmethod
    def people(**_: object) -> dict[int, str]:
        return {}  # a message brings its author's name

    def hears(self, text: str) -> protocol.Command:
        said = decoded(_said, text)
        if said.token is not UNSET:
            return protocol.Hello(id=next(self._ids), token=said.token)
        if said.message is UNSET:
            raise Invalid('A frame holds a "message".', None)
        if not said.message.strip():
            return protocol.Pong(n=0)  # as if nothing had been said
        return protocol.Send(id=next(self._ids), room=self.room, cid=uuid4(), body=said.message)

    def says(self, frame: protocol.Reply, names: Mapping[int, str]) -> Iterable[Any]:
        match frame:
            case protocol.Ok(events=list(page)):
                yield from map(self.wrapped, words(page))
            case protocol.Events(events=changes) | protocol.Joined(recovered=True, events=changes):
                yield from map(self.wrapped, words(changes, new=True))
            case protocol.Error(text=text) | protocol.Bye(reason=text):
                yield {"error": text}
            case protocol.Left():
                yield {"error": "You are no longer in this room."}
            case protocol.AuthExpiring(in_=seconds):
                yield {"auth_expiring": seconds}

    def wrapped(self, message: events.Message) -> Any:
        """The frame of a message."""
        raise NotImplementedError


class NodeRelay(Plain):
    """Node relay + Django: one public room, whose whole history stands on the page."""

    from_the_start = True

    def wrapped(self, message: events.Message) -> Any:
        return {"user_name": message.author.name, "message": message.body}


class AngularGuide(Plain):
    """Angular guide: JSON within JSON."""

    def wrapped(self, message: events.Message) -> Any:
        inner = {"text": message.body, "username": message.author.name}
        return {"message": msgspec.json.encode(inner).decode()}


class PtBrChat(Plain):
    """pt-BR chat: `remetente` is the sender."""

    def wrapped(self, message: events.Message) -> Any:
        return {"message": message.body, "remetente": message.author.name}
