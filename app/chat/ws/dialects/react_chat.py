"""JWT + React chat: {"command": ...} both ways, in a conversation of two."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import field

from chat import events
from chat.services import chats
from chat.ws import protocol
from chat.ws.dialects import Dialect, decoded, words
from chat.ws.protocol import Body, Invalid, Token


class _Said(msgspec.Struct, tag_field="command"):
    """A frame of the client. What else is in it, such as `from`, is not read: the credential says who speaks."""


class _Hello(_Said, tag="hello"):
    token: Token


class _Auth(_Said, tag="auth"):
    token: Token


class _Fetch(_Said, tag="fetch_messages"):
    chat: str | int | None = field(name="chatId", default=None)


class _New(_Said, tag="new_message"):
    message: Body
    chat: str | int | None = field(name="chatId", default=None)


_react: msgspec.json.Decoder[_Hello | _Auth | _Fetch | _New] = msgspec.json.Decoder(_Hello | _Auth | _Fetch | _New)


class ReactChat(Dialect):
    """`fetch_messages` and `new_message`; hello and auth with a `token` are ours, for browsers without a cookie."""

    people = staticmethod(chats.get_usernames)
    PAGE = 15  # messages that fetch_messages answers, the newest first

    def __init__(self, room: str) -> None:
        self.room = room
        self._ids = count(1)

    def hears(self, text: str) -> protocol.Command:
        said = decoded(_react, text)
        number = next(self._ids)
        if isinstance(said, _Hello):
            return protocol.Hello(id=number, token=said.token)
        if isinstance(said, _Auth):
            return protocol.Auth(id=number, token=said.token)
        if said.chat is not None and str(said.chat) != self.room:
            raise Invalid("This socket is of another chat: open one for that.", number)
        if isinstance(said, _Fetch):
            return protocol.History(id=number, room=self.room, limit=self.PAGE)
        return protocol.Send(id=number, room=self.room, cid=uuid4(), body=said.message)

    def says(self, frame: protocol.Reply, names: Mapping[int, str]) -> Iterable[Any]:
        match frame:
            case protocol.Ok(events=list(page)):
                yield {"command": "messages", "messages": [_react_message(e, names) for e in words(page)[::-1]]}
            case protocol.Events(events=changes) | protocol.Joined(recovered=True, events=changes):
                for message in words(changes, new=True):  # later changes of them have no word here
                    yield {"command": "new_message", "message": _react_message(message, names)}
            case protocol.Error(text=text):
                yield {"command": "error", "error": text}
            case protocol.Bye(reason=reason):
                yield {"command": "error", "error": reason}
            case protocol.Left():
                yield {"command": "error", "error": "This chat was ended."}
            case protocol.AuthExpiring(in_=seconds):
                yield {"command": "auth_expiring", "in": seconds}
            case protocol.Ping():
                yield {"command": "ping"}  # unread by the client; it keeps proxies from taking the line for dead


def _react_message(message: events.Message, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": message.id,
        "author": names.get(message.author.id, message.author.name),
        "content": message.body,
        "timestamp": message.at,
    }
