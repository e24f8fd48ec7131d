"""Saying something, correcting it, taking it back."""

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import events, limits
from chat.models import Message, Room
from chat.services.errors import BadMessage, Conflict, MessageNotFound, RoomNotFound
from realtime.doorbell import announce

if TYPE_CHECKING:
    from accounts.models import User


class Posted(NamedTuple):
    """A stored message; `dup` when an earlier call with the same cid had stored it."""

    message: Message
    dup: bool


def post_message(*, room: str, author: "User", body: str, cid: UUID, reply_to: int | None = None) -> Posted:
    """Store a message in the room with this slug, and announce it once committed.

    Safe to repeat with the same cid: every call returns the same row, and the room hears it once.
    Raises RoomNotFound unless the author is in the room; BadMessage when body is blank, over BODY_CHARS characters
    or not text, or reply_to is no message of that room; Conflict when the cid was used in another room.
    """
    body = checked(body)
    try:
        return _sent_before(room, author, cid) or Posted(_post(room, author, body, cid, reply_to), dup=False)
    except IntegrityError:  # the same cid was being stored just now, by a retry that overtook us
        if (posted := _sent_before(room, author, cid)) is None:
            raise
        return posted


def _sent_before(room: str, author: "User", cid: UUID) -> Posted | None:
    message = Message.objects.select_related("room", "author").filter(author=author, cid=cid).first()
    if message is None:
        return None
    if message.room.slug != room:
        raise Conflict("This cid belongs to a message in another room.")
    return Posted(message, dup=True)


@transaction.atomic
def _post(slug: str, author: "User", body: str, cid: UUID, reply_to: int | None) -> Message:
    room = Room.objects.joined_by(author).filter(slug=slug).first()
    if room is None:
        raise RoomNotFound
    if reply_to is not None and not room.messages.filter(pk=reply_to).exists():
        raise BadMessage("The message you answer is not in this room.")
    seq = room.advance()
    message = Message.objects.create(
        room=room,
        author=author,
        seq=seq,
        rev=seq,
        cid=cid,
        body=body,
        reply_to_id=reply_to,
        created_at=timezone.now(),
    )
    event = events.of_message(message)
    announce(room.stream, event.seq, event.text)
    return message


@transaction.atomic
def edit_message(*, message: int, author: "User", body: str, rev: int) -> Message:
    """Replace the body of the author's own message. Safe to repeat.

    Raises MessageNotFound unless it is theirs, not deleted, and they are still in its room; BadMessage as
    post_message; Conflict when it has changed since `rev`.
    """
    body = checked(body)
    found = _own(message, author)
    if found.deleted_at is not None:
        raise MessageNotFound
    if found.body == body and found.rev > rev:
        return found  # a retry of an edit that was stored
    head = found.room.advance()
    changed = Message.objects.filter(pk=message, rev=rev, deleted_at=None).update(
        body=body, rev=head, edited_at=timezone.now()
    )
    if not changed:
        raise Conflict
    return _announced(message)


@transaction.atomic
def delete_message(*, message: int, author: "User") -> Message:
    """Leave a tombstone without words in the place of the author's own message. Safe to repeat.

    Raises MessageNotFound unless it is theirs and they are still in its room.
    """
    found = _own(message, author)
    if found.deleted_at is None:
        head = found.room.advance()
        if not Message.objects.filter(pk=message, deleted_at=None).update(body="", rev=head, deleted_at=timezone.now()):
            raise Conflict  # deleted from another tab just now
        return _announced(message)
    return found


def _own(message: int, author: "User") -> Message:
    rooms = Room.objects.joined_by(author)
    own = Message.objects.select_related("room", "author").filter(pk=message, author=author, room__in=rooms)
    if (found := own.first()) is None:
        raise MessageNotFound
    return found


def _announced(pk: int) -> Message:
    message = Message.objects.select_related("room", "author").get(pk=pk)
    event = events.of_message(message)
    announce(message.room.stream, event.seq, event.text)
    return message


def checked(body: str) -> str:
    """The body as it is stored: line ends unified, surrounding blank space gone."""
    body = body.replace("\r\n", "\n").replace("\r", "\n").strip()
    # A NUL is no text to PostgreSQL, half a surrogate pair none to UTF-8.
    if not body or len(body) > limits.BODY_CHARS or "\0" in body or any("\ud800" <= c <= "\udfff" for c in body):
        raise BadMessage
    return body
