"""What clients of the small chats before Parley say and read on a socket, in words of parley.v1 and back.

A dialect only translates, without I/O: what may be done, and by whom, is decided where it is for everybody. Which one a
socket speaks is said in routing.py; ancestral.py is the socket.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from msgspec import field

from accounts.models import User
from chat import events
from chat.services import chats
from chat.ws import protocol
from chat.ws.protocol import Body, Invalid, Token


class Dialect(Protocol):
    """One client's way to talk in the one room of its address."""

    def __init__(self, room: str) -> None: ...

    @staticmethod
    def people(*, slug: str, user: User) -> dict[int, str]:
        """What this client calls those in the room, by their ids. Raises RoomNotFound where it has no business."""

    def hears(self, text: str) -> protocol.Command:
        """What the client means by this frame. Raises Malformed, Invalid."""

    def says(self, frame: protocol.Reply, names: Mapping[int, str]) -> Iterable[Any]:
        """The client's frames for one of ours, as JSON; none for what it would not understand."""


# --- JWT + React chat: {"command": ...} both ways, in a conversation of two


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

    people = staticmethod(chats.usernames)
    PAGE = 15  # messages that fetch_messages answers, the newest first

    def __init__(self, room: str) -> None:
        self.room = room
        self._ids = count(1)

    def hears(self, text: str) -> protocol.Command:
        try:
            said = _react.decode(text)
        except msgspec.ValidationError as error:
            raise Invalid(str(error), None) from None
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return protocol.parse(text)  # which says what is wrong with it
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
                yield {"command": "messages", "messages": [_react_message(e, names) for e in _words(page)[::-1]]}
            case protocol.Events(events=changes):
                for message in _words(changes):
                    if message.rev == message.seq:  # later changes of it have no word here
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


def _words(changes: Iterable[events.Event]) -> list[events.Message]:
    """The messages among the changes that have not been taken back."""
    return [e.message for e in changes if isinstance(e.message, events.Message) and not e.message.deleted]


def _react_message(message: events.Message, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": message.id,
        "author": names.get(message.author.id, message.author.name),
        "content": message.body,
        "timestamp": message.at,
    }
