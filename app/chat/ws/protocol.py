"""parley.v1, without I/O: what a client may say, and the words we answer with.

Frames are JSON texts, objects with a `type`. The structs below are the schema: `asyncapi.yaml` beside this file
is written from them by `manage.py asyncapi`, and this module imports neither Django nor Channels.
"""

import json
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
Token = Annotated[str, Meta(max_length=4096)]  # an access token of ours has some 400 characters


class Frame(msgspec.Struct, kw_only=True, tag_field="type", tag=str.lower):
    """A frame; its class name in lower case is its `type`."""


# --- what a client says. Each command but pong has an `id` and is answered by one ok or error with that id.


class Hello(Frame):
    """The first frame, within HELLO_SECONDS; answered by welcome. Who has no cookie session gives an access token."""

    id: Id
    token: Token | None = None
    client: Annotated[str, Meta(max_length=100)] = ""


class Auth(Frame):
    """Go on with this newer access token of mine."""

    id: Id
    token: Token


class Since(msgspec.Struct, frozen=True):
    """The last change a client has of a room, and the site's epoch in which it got it."""

    epoch: Annotated[str, Meta(max_length=64)]
    seq: Seq


class Join(Frame):
    """Follow a room; answered by joined. An open room is made by its first join."""

    id: Id
    room: Slug
    since: Since | None = None
    limit: Annotated[int, Meta(ge=0, le=limits.RESUME)] = limits.FIRST_PAGE


class Leave(Frame):
    """Stop being a member of a room."""

    id: Id
    room: Slug


class Send(Frame):
    """Post a message. Safe to repeat with the same cid, which the client makes up (a UUID)."""

    id: Id
    room: Slug
    cid: UUID
    body: Body
    reply_to: RowId | None = None


class Edit(Frame):
    """Change my message, whose rev I know; a stale rev is a conflict."""

    id: Id
    message: RowId
    body: Body
    rev: Seq


class Delete(Frame):
    """Take my message back; a tombstone without a body stays."""

    id: Id
    message: RowId


class Read(Frame):
    """I have read this room up to and with the message at seq."""

    id: Id
    room: Slug
    seq: Seq


class Typing(Frame):
    """I began or stopped typing."""

    id: Id
    room: Slug
    on: bool


class History(Frame):
    """A page of messages before or after (never both) the one at a seq."""

    id: Id
    room: Slug
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE


class Pong(Frame):
    """The answer to ping n; not answered itself."""

    n: Annotated[int, Meta(ge=0)]


Request = Hello | Auth | Join | Leave | Send | Edit | Delete | Read | Typing | History  # each is answered
Command = Request | Pong

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class Malformed(Exception):
    """Not JSON, or nested beyond reason: the socket is closed with 4400."""


class Invalid(Exception):
    """JSON, but no command of ours: answered by an error frame, the socket stays.

    `id` is the command's id when it had a usable one.
    """

    def __init__(self, text: str, id: int | str | None) -> None:
        super().__init__(text)
        self.id = id


def parse(text: str) -> Command:
    """Read one frame of a client. Raises Malformed, or Invalid with a sentence for its author."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), _id_of(text)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        if (frame := _with_half_characters(text)) is not None:
            raise Invalid("A text holds half a character.", _usable(frame.get("id"))) from None
        raise Malformed(str(error)) from None


class _AnyId(msgspec.Struct):
    id: Id


def _id_of(text: str) -> int | str | None:
    try:
        return msgspec.json.decode(text, type=_AnyId).id
    except (msgspec.DecodeError, RecursionError):
        return None


def _with_half_characters(text: str) -> dict[str, Any] | None:
    """The object that the text is to readers who let half a surrogate pair pass, as browsers do; None if none.

    A browser that cuts an emoji in two would lose its socket for that, again and again.
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


# --- what the server says


class Ok(Frame, omit_defaults=True):
    """The command `id` is done, and committed where it changes anything."""

    id: Id
    message: Message | UnsetType = UNSET  # send, edit, delete
    dup: bool | UnsetType = UNSET  # send: it had been posted before
    events: list[Event] | UnsetType = UNSET  # history, oldest first
    more: bool | UnsetType = UNSET  # history: there are more in that direction
    unread: int | UnsetType = UNSET  # read


class Error(Frame, omit_defaults=True):
    """The command `id` was refused and changed nothing. No id: the frame had none that could be read."""

    id: Id | None
    code: str
    text: str
    retry_after: float | UnsetType = UNSET  # seconds


class Welcome(Frame):
    """The answer to hello. `ping` is the seconds between two pings; `limits` are of chat/limits.py."""

    id: Id
    user: Person
    connection: str
    ping: int
    limits: dict[str, int]
    server: str


class AuthExpiring(Frame, tag="auth_expiring"):
    """The access token ends `in` so many seconds, and the socket with it (4401) unless auth brings a newer one."""

    in_: int = msgspec.field(name="in")


class Joined(Frame):
    """The answer to join. recovered: `events` is every change since; else it is the newest page, oldest first."""

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
    role: Role  # mine
    events: list[Event]


class Events(Frame):
    """Changes of rooms I joined; in each room in order of seq, without a hole."""

    events: list[Event]


class Ping(Frame):
    """Are you there? `heads` holds the count of each joined room."""

    n: int
    heads: dict[str, Seq]


class Left(Frame):
    """I am no longer in this room."""

    room: Slug
    reason: str


class Bye(Frame):
    """The socket closes next, with this code; `reconnect_in` is in seconds, null where coming back is no use."""

    code: int
    reason: str
    reconnect_in: float | None


Reply = Ok | Error | Welcome | AuthExpiring | Joined | Events | Ephemeral | Ping | Left | Bye

encoder = msgspec.json.Encoder()


def encode(frame: Reply) -> str:
    """Write one frame of the server."""
    return encoder.encode(frame).decode()
