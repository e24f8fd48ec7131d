"""JWT + React chat: {"command": ...} in both directions, in a conversation of two people."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import msgspec
from msgspec import field

from channels_realtime.frames import Frame
from chat import events
from chat.services import chats
from chat.ws import protocol
from chat.ws.compat.codec import CompatCodec, decode_json, encode_json, messages_in
from chat.ws.protocol import Body, Invalid, Token

FETCH_LIMIT = 15  # messages in the answer to fetch_messages, the newest first


class _ClientFrame(msgspec.Struct, tag_field="command"):
    """Other fields, such as `from`, are ignored: the credential says who the author is."""


class _Hello(_ClientFrame, tag="hello"):
    token: Token


class _Auth(_ClientFrame, tag="auth"):
    token: Token


class _FetchMessages(_ClientFrame, tag="fetch_messages"):
    chat: str | int | None = field(name="chatId", default=None)


class _NewMessage(_ClientFrame, tag="new_message"):
    message: Body
    chat: str | int | None = field(name="chatId", default=None)


_ClientFrames = _Hello | _Auth | _FetchMessages | _NewMessage
_decoder: msgspec.json.Decoder[_ClientFrames] = msgspec.json.Decoder(_ClientFrames)


class ReactChatCodec(CompatCodec):
    """`fetch_messages` and `new_message`. Parley added hello and auth with a `token`, for browsers without a cookie."""

    subprotocol: str | None = None
    replays_history: ClassVar[bool] = False
    load_names = staticmethod(chats.get_usernames)

    def __init__(self, room: str) -> None:
        """Create the codec of one socket in the conversation with this slug."""
        self.room = room
        self.names: Mapping[int, str] = {}
        self._ids = count(1)

    def decode(self, text: str) -> protocol.Command:
        """Return the command that the client means. Raises Invalid for a frame of another chat."""
        frame = decode_json(_decoder, text)
        number = next(self._ids)
        if isinstance(frame, _Hello):
            return protocol.Hello(id=number, token=frame.token)
        if isinstance(frame, _Auth):
            return protocol.Auth(id=number, token=frame.token)
        if frame.chat is not None and str(frame.chat) != self.room:
            raise Invalid("This socket belongs to another chat. Open a socket for that one.", number)
        if isinstance(frame, _FetchMessages):
            return protocol.History(id=number, room=self.room, limit=FETCH_LIMIT)
        return protocol.Send(id=number, room=self.room, cid=uuid4(), body=frame.message)

    def encode(self, reply: protocol.Reply) -> Iterable[Frame]:
        """Return a frame for each page, new message, error or notice in the reply."""
        match reply:
            case protocol.Ok(events=list(page)):
                messages = [self._message_frame(message) for message in reversed(messages_in(page))]
                yield encode_json({"command": "messages", "messages": messages})
            case protocol.Events(events=changes) | protocol.Joined(recovered=True, events=changes):
                for message in messages_in(changes, new_only=True):  # the client knows no later changes of a message
                    yield encode_json({"command": "new_message", "message": self._message_frame(message)})
            case protocol.Error(text=text):
                yield encode_json({"command": "error", "error": text})
            case protocol.Bye(reason=reason):
                yield encode_json({"command": "error", "error": reason})
            case protocol.Left():
                yield encode_json({"command": "error", "error": "This chat was ended."})
            case protocol.AuthExpiring(in_=seconds):
                yield encode_json({"command": "auth_expiring", "in": seconds})
            case protocol.Ping():
                yield encode_json({"command": "ping"})  # the client ignores it; proxies see that the socket is in use

    def _message_frame(self, message: events.Message) -> dict[str, Any]:
        return {
            "id": message.id,
            "author": self.names.get(message.author.id, message.author.name),
            "content": message.body,
            "timestamp": message.at,
        }
