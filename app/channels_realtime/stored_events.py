"""Stores the events of streams, publishes them, and reads what a client missed, for channels_realtime.resume.

    publish_event("chat_lobby", {"type": "chat.message", "message": "Hello"})

may be called from anywhere: a view, a Celery task, a management command.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from .conf import options
from .database import run_query
from .metrics import MESSAGES
from .models import StoredEvent, StoredStream
from .publisher import publish_events
from .stream import Event

GROUP_PREFIX = "resume."  # of the channel-layer group of a stream: the project may have a group of the same name
VALID_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,90}")  # as Channels', minus the prefix
PRUNE_EVERY = 50  # events of a stream after which its oldest ones are deleted
EPOCH = ""  # of the hub: the epoch of a stream is its own, and only its clients compare it


@dataclass(frozen=True)
class Position:
    """How far a client has received a stream: everything up to `seq` of `epoch`."""

    epoch: str
    seq: int


@dataclass(frozen=True)
class Snapshot:
    """What a client gets when it joins a stream.

    Attributes:
        stream_epoch: The epoch of the stream; empty while it has no event.
        head: The sequence number of the stream's newest event.
        events: In order, up to `head`.
        missed: How many events before `events` the client will never get, None when nobody knows; usually 0.
        epoch: The hub's: see channels_realtime.hub.Position.
    """

    stream_epoch: str
    head: int
    events: Sequence[Event]
    missed: int | None
    epoch: str = EPOCH


def check_stream_name(name: str) -> None:
    """Raise TypeError, as Channels does for a group, if this is no name for a stream."""
    if not VALID_NAME.fullmatch(name):
        raise TypeError(f"A stream has a name of 1 to 90 ASCII letters, digits, or signs of -_., not {name!r}")


@transaction.atomic
def publish_event(stream: str, event: Mapping[str, Any], *, key: str | None = None) -> int:
    """Store an event, and deliver it after the commit to every client that has joined the stream.

    Args:
        stream: The stream's name; it begins to exist with its first event.
        event: As for group_send of Channels: `type` names the consumer's method. It must be possible to write it as
            JSON.
        key: Identifies the send, at most 64 characters: a repeat stores nothing.

    Returns:
        The event's sequence number in the stream.

    Raises:
        TypeError: The name is not valid, or the event is no JSON.
    """
    check_stream_name(stream)
    text = json.dumps(event, separators=(",", ":"))
    row = _advance(stream)
    if key is not None and (stored := StoredEvent.objects.filter(stream=row, key=key).first()):
        StoredStream.objects.filter(pk=row.pk).update(head=F("head") - 1)
        return stored.seq
    StoredEvent.objects.create(stream=row, seq=row.head, key=key, text=text)
    if row.head % PRUNE_EVERY == 0:
        StoredEvent.objects.filter(stream=row, seq__lte=row.head - options().max_stored_events).delete()
    publish_events(GROUP_PREFIX + stream, [_event(row.head, text)])
    transaction.on_commit(MESSAGES.inc)
    return row.head


def _advance(name: str) -> StoredStream:
    """Add 1 to the head of a stream, which locks its row until the end of the transaction. Returns the row."""
    # The update comes first: a transaction that begins with a read cannot become a writer in SQLite.
    mine = StoredStream.objects.filter(name=name)
    if not mine.update(head=F("head") + 1):
        StoredStream.objects.get_or_create(name=name)
        mine.update(head=F("head") + 1)
    return mine.get()


def _event(seq: int, text: str) -> Event:
    return Event(seq, f"[{seq},{text}]")


def load_snapshot(stream: str, position: Position | None, history: int) -> Snapshot:
    """Read what a client gets that joins a stream.

    Args:
        stream: The stream's name.
        position: Where the client is, or None if it comes for the first time.
        history: How many of the newest events a client gets that comes for the first time.
    """
    row = StoredStream.objects.filter(name=stream).first()
    if row is None:
        is_new = position is None or position.seq == 0
        return Snapshot("", 0, [], 0 if is_new else None)
    newest = _load(row, row.head - history, row.head) if history else []
    if position is None:
        return Snapshot(row.epoch, row.head, newest, 0)
    # A client that came before the first event knows no epoch yet.
    if position.seq > row.head or position.epoch not in (row.epoch, ""):
        return Snapshot(row.epoch, row.head, newest, None)
    events = _load(row, position.seq, row.head)
    return Snapshot(row.epoch, row.head, events, row.head - position.seq - len(events))


def _load(row: StoredStream, since: int, head: int) -> list[Event]:
    found = StoredEvent.objects.filter(stream=row, seq__gt=since, seq__lte=head).order_by("seq")
    return [_event(seq, text) for seq, text in found.values_list("seq", "text")]


def _load_heads(streams: Collection[str]) -> dict[str, int]:
    names = [stream.removeprefix(GROUP_PREFIX) for stream in streams]
    heads = dict(StoredStream.objects.filter(name__in=names).values_list("name", "head"))
    return {GROUP_PREFIX + name: heads.get(name, 0) for name in names}


def _load_gap(stream: str, since: int, head: int) -> list[Event] | None:
    row = StoredStream.objects.filter(name=stream.removeprefix(GROUP_PREFIX)).first()
    events = _load(row, since, head) if row else []
    return events if len(events) == head - since else None


class StoredStreams:
    """The streams in the database, as the hub reads them: see channels_realtime.hub.Source."""

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        """Return the epoch of the hub, and the newest sequence number of each stream: 0 before its first event."""
        return EPOCH, await run_query(_load_heads, streams)

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        """Return the events above `seq` up to `head`, or None when they are not all stored."""
        return await run_query(_load_gap, stream, seq, head)
