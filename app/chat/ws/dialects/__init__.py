"""What the clients of the small chats before Parley say and read on a socket, in words of parley.v1 and back.

A dialect only translates, without I/O: what may be done, and by whom, is decided where it is for everybody. Which one a
socket speaks is said in routing.py; ancestral.py is the socket.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from accounts.models import User
from chat import events
from chat.ws import protocol

T = TypeVar("T")


class Dialect(Protocol):
    """One client's way to talk in the one room of its address."""

    from_the_start: bool = False  # whether it is told all that is kept of the room, when it comes

    def __init__(self, room: str) -> None: ...

    @staticmethod
    def people(*, slug: str, user: User) -> dict[int, str]:
        """What this client calls those in the room, by their ids. Raises RoomNotFound where it has no business."""

    def hears(self, text: str) -> protocol.Command:
        """What the client means by this frame. Raises Malformed, Invalid."""

    def says(self, frame: protocol.Reply, names: Mapping[int, str]) -> Iterable[Any]:
        """The client's frames for one of ours, as JSON; none for what it would not understand."""


def decoded(decoder: "msgspec.json.Decoder[T]", text: str) -> T:
    """What a client said. Raises Malformed, Invalid."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise protocol.Invalid(str(error), None) from None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        protocol.parse(text)  # which says what is wrong with it
        raise


def words(changes: Iterable[events.Event], *, new: bool = False) -> list[events.Message]:
    """The messages among the changes that have not been taken back; only those just said, if `new`."""
    messages = [change.message for change in changes if isinstance(change.message, events.Message)]
    return [one for one in messages if not one.deleted and (one.rev == one.seq or not new)]
