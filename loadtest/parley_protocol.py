"""parley.v1 as far as a load test speaks it, without I/O. Only the fields that are looked at are decoded."""

from typing import Any

import msgspec

from loadtest.oracle import Event

SUBPROTOCOL = "parley.v1"
EVENTS = b'{"type":"events"'
PING = b'{"type":"ping"'


class Message(msgspec.Struct):
    seq: int
    body: str = ""


class RoomEvent(msgspec.Struct):
    room: str
    seq: int
    kind: str
    message: Message | None = None

    def told(self) -> Event:
        """Joins and topics take a place and have no text, and so have edits: they are no new message."""
        new = self.kind == "message" and self.message is not None and self.message.seq == self.seq
        return Event(self.room, self.seq, self.message.body if new and self.message else None)


class Events(msgspec.Struct):
    events: list[RoomEvent]


class Reply(msgspec.Struct):
    """Any other frame; what it lacks has the default."""

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


_events = msgspec.json.Decoder(Events)
_reply = msgspec.json.Decoder(Reply)
_encode = msgspec.json.Encoder().encode


def events_in(payload: bytes) -> list[Event] | None:
    """What an `events` frame tells; None for any other frame. Raises msgspec.DecodeError."""
    if not payload.startswith(EVENTS):
        return None
    return [event.told() for event in _events.decode(payload).events]


def reply(payload: bytes) -> Reply:
    """Raises msgspec.DecodeError."""
    return _reply.decode(payload)


def command(type: str, id: int | None = None, **fields: Any) -> bytes:
    return _encode({"type": type, **({} if id is None else {"id": id}), **fields})
