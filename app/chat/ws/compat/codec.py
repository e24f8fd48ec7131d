"""The frames of older chats' clients, translated to the commands of parley.v1 and back.

A codec translates only, without I/O: what a user may do is decided in the same place as for everybody. routing.py says
which codec a socket speaks.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from accounts.models import User
from channels_realtime.frames import Frame
from chat import events
from chat.ws import protocol

T = TypeVar("T")


class CompatCodec(protocol.Codec, Protocol):
    """How one older client talks in the one room of its address.

    Attributes:
        replays_history: Whether the client gets all stored messages of the room when it joins.
        names: What the client calls the people in the room, by their ids.
    """

    replays_history: ClassVar[bool]
    names: Mapping[int, str]

    def __init__(self, room: str) -> None:
        """Create the codec of one socket; `room` is the slug of its room."""

    @staticmethod
    def load_names(*, slug: str, user: User) -> dict[int, str]:
        """Return `names`. Raises RoomNotFound if the client does not serve such a room."""

    def decode(self, text: str) -> protocol.Command:
        """Return the command that the client means. Raises Malformed, Invalid."""

    def encode(self, reply: protocol.Reply) -> Iterable[Frame]:
        """Return the client's frames for one of ours; none for what the client would not understand."""


def decode_json(decoder: "msgspec.json.Decoder[T]", text: str) -> T:
    """Decode a client's frame. Raises Malformed, Invalid."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise protocol.Invalid(str(error), None) from None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        protocol.parse(text)  # raises the error that says what is wrong
        raise


def encode_json(value: Any) -> Frame:
    """Return a frame with this value as JSON."""
    return Frame(msgspec.json.encode(value).decode())


def messages_in(changes: Iterable[events.Event], *, new_only: bool = False) -> list[events.Message]:
    """Return the messages among these changes that are not deleted; with `new_only`, those that were just posted."""
    messages = [change.message for change in changes if isinstance(change.message, events.Message)]
    return [message for message in messages if not message.deleted and (message.rev == message.seq or not new_only)]
