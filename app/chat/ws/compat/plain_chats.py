"""Three older chats whose client sends {"message"} and gets messages with their author: one room, no other command.

Parley added `{"token"}`, the first frame of browsers without a cookie, sent again before it expires, and `{"error"}`.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType

from channels_realtime.frames import Frame
from chat import events
from chat.ws import protocol
from chat.ws.compat.codec import CompatCodec, decode_json, encode_json, messages_in
from chat.ws.protocol import Invalid, Token


class _ClientFrame(msgspec.Struct):
    """Other fields, such as `user_name`, are ignored: the credential says who the author is."""

    message: str | UnsetType = UNSET
    token: Token | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_ClientFrame)


class PlainCodec(CompatCodec):
    """What the three chats have in common."""

    subprotocol: str | None = None
    replays_history: ClassVar[bool] = False

    def __init__(self, room: str) -> None:
        """Create the codec of one socket in the room with this slug."""
        self.room = room
        self.names: Mapping[int, str] = {}
        self._ids = count(1)

    @staticmethod
    def load_names(**_: object) -> dict[int, str]:
        """Return no names: each message contains its author's name."""
        return {}

    def decode(self, text: str) -> protocol.Command:
        """Return hello for a token, send for a message, and a pong, which does nothing, for a blank message."""
        frame = decode_json(_decoder, text)
        if frame.token is not UNSET:
            return protocol.Hello(id=next(self._ids), token=frame.token)
        if frame.message is UNSET:
            raise Invalid('A frame holds a "message".', None)
        if not frame.message.strip():
            return protocol.Pong(n=0)
        return protocol.Send(id=next(self._ids), room=self.room, cid=uuid4(), body=frame.message)

    def encode(self, reply: protocol.Reply) -> Iterable[Frame]:
        """Return a frame for each message, error or notice in the reply."""
        match reply:
            case protocol.Ok(events=list(page)):
                yield from (encode_json(self.message_frame(message)) for message in messages_in(page))
            case protocol.Events(events=changes) | protocol.Joined(recovered=True, events=changes):
                for message in messages_in(changes, new_only=True):
                    yield encode_json(self.message_frame(message))
            case protocol.Error(text=text) | protocol.Bye(reason=text):
                yield encode_json({"error": text})
            case protocol.Left():
                yield encode_json({"error": "You are no longer in this room."})
            case protocol.AuthExpiring(in_=seconds):
                yield encode_json({"auth_expiring": seconds})

    def message_frame(self, message: events.Message) -> Any:
        """Return the client's frame of a message, as JSON values."""
        raise NotImplementedError


class NodeRelayCodec(PlainCodec):
    """Node relay + Django: one public room, whose whole history is on the page."""

    replays_history = True

    def message_frame(self, message: events.Message) -> Any:
        """Return {"user_name", "message"}."""
        return {"user_name": message.author.name, "message": message.body}


class AngularGuideCodec(PlainCodec):
    """Angular guide: JSON within JSON."""

    def message_frame(self, message: events.Message) -> Any:
        """Return {"message"}, which holds {"text", "username"} as a JSON text."""
        inner = {"text": message.body, "username": message.author.name}
        return {"message": msgspec.json.encode(inner).decode()}


class PtBrChatCodec(PlainCodec):
    """pt-BR chat: `remetente` is the author."""

    def message_frame(self, message: events.Message) -> Any:
        """Return {"message", "remetente"}."""
        return {"message": message.body, "remetente": message.author.name}
