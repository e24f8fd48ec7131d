"""The frames of parley.v1, without I/O: the commands of a client, and the replies and events of the server.

A frame is a JSON object with a `type`. The structs below are the schema: `manage.py asyncapi` writes `asyncapi.yaml`
beside this file from them, and this module imports neither Django nor Channels.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from channels_realtime.frames import Frame as TextFrame
from chat import limits
from chat.events import Ephemeral, Event, Message, Person, Role, RoomInfo, RowId, Seq, Slug

SUBPROTOCOL = "parley.v1"
LIMITS = {
    "body": limits.BODY_CHARS,
    "frame": limits.FRAME_BYTES,
    "page": limits.PAGE,
    "resume": limits.RESUME,
    "rooms": limits.ROOMS_PER_SOCKET,
}

Id = Annotated[int, Meta(ge=0)] | Annotated[str, Meta(min_length=1, max_length=64)]
Body = Annotated[str, Meta(min_length=1, max_length=limits.BODY_CHARS)]
Token = Annotated[str, Meta(max_length=4096)]  # our access tokens have some 400 characters


class Frame(msgspec.Struct, kw_only=True, tag_field="type", tag=str.lower):
    """A frame; its class name in lower case is its `type`."""


# --- Commands of a client. Each of them but pong has an `id`, and is answered by one ok or error with that id.


class Hello(Frame):
    """The first frame, within HELLO_SECONDS; answered by welcome. It has an access token if there is no cookie."""

    id: Id
    token: Token | None = None
    client: Annotated[str, Meta(max_length=100)] = ""


class Auth(Frame):
    """Continue with a newer access token of the same user."""

    id: Id
    token: Token


class Since(msgspec.Struct, frozen=True):
    """The last change of a room that the client has, and the epoch of the site in which it received it."""

    epoch: Annotated[str, Meta(max_length=64)]
    seq: Seq


class Join(Frame):
    """Follow a room; answered by joined. The first join of an open room creates it."""

    id: Id
    room: Slug
    since: Since | None = None
    limit: Annotated[int, Meta(ge=0, le=limits.RESUME)] = limits.FIRST_PAGE


class Leave(Frame):
    """End the membership in a room."""

    id: Id
    room: Slug


class Send(Frame):
    """Post a message. It may be repeated with the same `cid`, a UUID of the client, and is stored once."""

    id: Id
    room: Slug
    cid: UUID
    body: Body
    reply_to: RowId | None = None


class Edit(Frame):
    """Change the body of one's own message. A `rev` that is not the newest is a conflict."""

    id: Id
    message: RowId
    body: Body
    rev: Seq


class Delete(Frame):
    """Delete a message. A tombstone without a body stays."""

    id: Id
    message: RowId


class Read(Frame):
    """Move the read marker of a room to the message at `seq`."""

    id: Id
    room: Slug
    seq: Seq


class Typing(Frame):
    """Say that the user types, or has stopped."""

    id: Id
    room: Slug
    on: bool


class History(Frame):
    """Ask for a page of messages before or after (never both) the one at this seq."""

    id: Id
    room: Slug
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE


class Pong(Frame):
    """The answer to ping `n`. It is not answered itself."""

    n: Annotated[int, Meta(ge=0)]


Request = Hello | Auth | Join | Leave | Send | Edit | Delete | Read | Typing | History  # each is answered
Command = Request | Pong

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class Malformed(Exception):
    """The text is no JSON, or nested too deeply: the socket is closed with 4400."""


class Invalid(Exception):
    """The text is JSON, but no command: it is answered by an error frame, and the socket stays open.

    Attributes:
        id: The id of the command, or None if it has no usable one.
    """

    def __init__(self, text: str, id: int | str | None) -> None:
        super().__init__(text)
        self.id = id


def parse(text: str) -> Command:
    """Return the command in a frame of a client. Raises Malformed, or Invalid with a sentence for its author."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), _id_of(text)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        if (frame := _parse_leniently(text)) is not None:
            raise Invalid("A text contains half of a surrogate pair.", _usable(frame.get("id"))) from None
        raise Malformed(str(error)) from None


class _AnyId(msgspec.Struct):
    id: Id


def _id_of(text: str) -> int | str | None:
    try:
        return msgspec.json.decode(text, type=_AnyId).id
    except (msgspec.DecodeError, RecursionError):
        return None


def _parse_leniently(text: str) -> dict[str, Any] | None:
    """Return the object in a text that is valid JSON but for half a surrogate pair, which browsers accept; or None.

    A browser that cuts an emoji in two would otherwise lose its socket for that, again and again.
    """
    try:
        frame = json.loads(text, parse_constant=int)  # which refuses NaN and Infinity: they are no JSON
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) else None


def _usable(id: Any) -> int | str | None:
    try:
        usable: int | str = msgspec.convert(id, Id)
        msgspec.json.encode(usable)  # it will be written back
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    return usable


# --- Replies and events of the server


class Ok(Frame, omit_defaults=True):
    """The command `id` is done. What it changed is committed."""

    id: Id
    message: Message | UnsetType = UNSET  # send, edit, delete
    dup: bool | UnsetType = UNSET  # send: an earlier send with this cid posted it
    events: list[Event] | UnsetType = UNSET  # history, oldest first
    more: bool | UnsetType = UNSET  # history: there are more messages in that direction
    unread: int | UnsetType = UNSET  # read


class Error(Frame, omit_defaults=True):
    """The command `id` was refused and changed nothing. `id` is null when the frame had no readable one."""

    id: Id | None
    code: str
    text: str
    retry_after: float | UnsetType = UNSET  # seconds


class Welcome(Frame):
    """The answer to hello. `ping` is the seconds between two pings; `limits` are those of chat/limits.py."""

    id: Id
    user: Person
    connection: str
    ping: int
    limits: dict[str, int]
    server: str


class AuthExpiring(Frame, tag="auth_expiring"):
    """The access token expires `in` seconds; the socket is then closed with 4401, unless auth brings a newer token."""

    in_: int = msgspec.field(name="in")


class Joined(Frame):
    """The answer to join. `events` is every change since `since` if `recovered`, else the newest page, oldest first."""

    id: Id
    room: Slug
    epoch: str
    head: Seq
    floor: Seq
    recovered: bool
    info: RoomInfo
    read: Seq
    unread: int
    more: bool
    members: int
    role: Role  # of this user
    events: list[Event]


class Events(Frame):
    """Changes of joined rooms; those of one room are in the order of seq, without a gap."""

    events: list[Event]


class Ping(Frame):
    """Asks for a pong. `heads` has the newest seq of each joined room."""

    n: int
    heads: dict[str, Seq]


class Left(Frame):
    """The user is no longer in this room: they left, were removed by a moderator (kicked), or banned."""

    room: Slug
    reason: Literal["left", "kicked", "banned"]


class Bye(Frame):
    """The socket is closed next, with this code. `reconnect_in` is in seconds; null: do not reconnect."""

    code: int
    reason: str
    reconnect_in: float | None


Reply = Ok | Error | Welcome | AuthExpiring | Joined | Events | Ephemeral | Ping | Left | Bye

encoder = msgspec.json.Encoder()


def encode(frame: Reply) -> str:
    """Return a frame of the server as JSON."""
    return encoder.encode(frame).decode()


class Codec(Protocol):
    """How one kind of client writes the commands and reads the replies of parley.v1."""

    @property
    def subprotocol(self) -> str | None:
        """The WebSocket subprotocol that the client offers, or None."""

    def decode(self, text: str) -> Command:
        """Return the command in a frame of the client. Raises Malformed, Invalid."""

    def encode(self, reply: Reply) -> Iterable[TextFrame]:
        """Return the frames that tell the client this reply."""


class ParleyV1:
    """The codec of parley.v1 itself: one JSON frame each."""

    subprotocol = SUBPROTOCOL

    def decode(self, text: str) -> Command:
        """Return the command in a frame of the client. Raises Malformed, Invalid."""
        return parse(text)

    def encode(self, reply: Reply) -> tuple[TextFrame]:
        """Return the frame of this reply."""
        return (TextFrame(encode(reply)),)
