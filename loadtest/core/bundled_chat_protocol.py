"""The protocol of the chat that comes with the stack, as a client of a load test speaks it, without I/O.

Only the fields that a load test uses are decoded.
"""

from typing import Any

import msgspec

from loadtest.core.oracle import Event

SUBPROTOCOL = "parley.v1"
EVENTS_PREFIX = b'{"type":"events"'
PING_PREFIX = b'{"type":"ping"'


class Message(msgspec.Struct):
    """A message of a room."""

    seq: int
    body: str = ""


class RoomEvent(msgspec.Struct):
    """One change of a room."""

    room: str
    seq: int
    kind: str
    message: Message | None = None

    def to_event(self) -> Event:
        """Return the change for the oracle. An edit has a number of its own, but it is not a new message."""
        is_new = self.kind == "message" and self.message is not None and self.message.seq == self.seq
        return Event(self.room, self.seq, self.message.body if is_new and self.message else None)


class EventsFrame(msgspec.Struct):
    """A frame of type `events`."""

    events: list[RoomEvent]


class Reply(msgspec.Struct):
    """Any other frame; a field that the frame lacks has the default."""

    type: str
    id: int | str | None = None
    message: Message | None = None
    code: int | str = ""
    text: str = ""
    reason: str = ""
    reconnect_in: float | None = None
    retry_after: float | None = None
    n: int = 0
    room: str = ""
    head: int = 0
    epoch: str = ""
    recovered: bool = False
    events: list[RoomEvent] = []


_events_decoder = msgspec.json.Decoder(EventsFrame)
_reply_decoder = msgspec.json.Decoder(Reply)
_encode = msgspec.json.Encoder().encode


def decode_events(payload: bytes) -> list[Event] | None:
    """Return the changes in an `events` frame; None for any other frame.

    Raises:
        msgspec.DecodeError: the frame is not valid; it is a ValueError.
    """
    if not payload.startswith(EVENTS_PREFIX):
        return None
    return [event.to_event() for event in _events_decoder.decode(payload).events]


def decode_reply(payload: bytes) -> Reply:
    """Return any frame other than `events`.

    Raises:
        msgspec.DecodeError: the frame is not valid; it is a ValueError.
    """
    return _reply_decoder.decode(payload)


def build_command(type: str, id: int | None = None, **fields: Any) -> bytes:
    """Return the payload of a command."""
    return _encode({"type": type, **({} if id is None else {"id": id}), **fields})
