"""Posting, editing and deleting messages."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from channels_realtime.metrics import MESSAGES
from channels_realtime.publisher import publish_events
from chat import events
from chat.models import Membership, Message, Room
from chat.services.errors import BadMessage, ChatError, Conflict, MessageNotFound, RoomNotFound
from chat.slugs import is_slug

if TYPE_CHECKING:
    from accounts.models import User


class Posted(NamedTuple):
    """A stored message; `dup` is True when an earlier call with the same cid stored it."""

    message: Message
    dup: bool


NewMessages = dict[Room, list[Message]]  # the messages to insert, by room and in order

ROOM_FIELDS = ("id", "slug", "body_chars", "max_messages")  # what a post needs to know of its room
_COLUMNS = {field.name: str(field.column) for field in Room._meta.concrete_fields}  # noqa: SLF001  a documented API
JOINED_ROOMS_SQL = f"""
    SELECT member.user_id, room.{", room.".join(_COLUMNS[field] for field in ROOM_FIELDS)}
    FROM chat_membership member JOIN chat_room room ON room.id = member.room_id
    WHERE member.state = '{Membership.State.JOINED}' AND member.user_id IN (%s) AND room.slug IN (%s)
"""  # noqa: S608  nothing in it comes from outside


class Post(NamedTuple):
    """A message to post in the room with the slug `room`; `cid` is the client's id for it, the idempotency key."""

    room: str
    author: "User"
    body: str
    cid: UUID
    reply_to: int | None = None
    alias: str = ""  # the author's name, when a bot posts it


def post_message(
    *, room: str, author: "User", body: str, cid: UUID, reply_to: int | None = None, alias: str = ""
) -> Posted:
    """Store a message in the room with this slug, and publish it after the commit.

    It is safe to repeat the call with the same `cid`: every call returns the same row, which is published once.

    Raises:
        RoomNotFound: The author is not in the room.
        BadMessage: `body` is blank, too long for the room or no text; or `reply_to` is no message of the room.
        Conflict: The `cid` was used in another room.
    """
    (outcome,) = post_messages([Post(room, author, body, cid, reply_to, alias)])
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome


def post_messages(posts: Sequence[Post]) -> list[Posted | ChatError]:
    """Do what post_message does for several posts in one transaction; each room gets its messages in the given order.

    Returns:
        For each post, in order: the stored message, or the error that post_message raises. One refused post does not
        affect the others.
    """
    # Nearly every post is new; the unique constraint of the cid reports one that is not. This saves a query.
    outcomes, to_insert = _validate(posts, {})
    if all(isinstance(outcome, Posted) for outcome in outcomes):
        with suppress(IntegrityError):
            _store(to_insert)
            return outcomes
    outcomes, to_insert = _validate(posts, _load_known(posts))
    try:
        if to_insert:
            _store(to_insert)
    except IntegrityError:  # another process has just stored one of the cids, for a retry
        if len(posts) == 1:
            raise
        return [outcome for post in posts for outcome in post_messages([post])]
    return outcomes


def _validate(
    posts: Sequence[Post], known: dict[tuple[int, UUID], Message]
) -> tuple[list[Posted | ChatError], NewMessages]:
    """Return the outcome of each post, and the messages to insert; `known` are stored ones by author and cid."""
    rooms = _load_joined_rooms(posts)
    reply_targets = [post.reply_to for post in posts if post.reply_to]
    existing_targets = set(
        Message.objects.filter(pk__in=reply_targets).values_list("pk", "room__slug") if reply_targets else ()
    )
    outcomes: list[Posted | ChatError] = []
    to_insert: NewMessages = {}
    for post in posts:
        key = (post.author.pk, post.cid)
        room = rooms.get((post.author.pk, post.room))
        if message := known.get(key):
            is_same_room = message.room.slug == post.room
            outcomes.append(Posted(message, dup=True) if is_same_room else Conflict("This cid is of another room."))
        elif room is None:
            outcomes.append(RoomNotFound())
        elif post.reply_to and (post.reply_to, post.room) not in existing_targets:
            outcomes.append(BadMessage("The message you answer is not in this room."))
        elif not is_valid_body(post.body, room.max_body_length):
            outcomes.append(BadMessage(most=room.max_body_length))
        else:
            known[key] = message = Message(
                room=room,
                author=post.author,
                cid=post.cid,
                body=normalize_body(post.body),
                reply_to_id=post.reply_to,
                alias=post.alias if post.author.is_bot else "",
            )
            to_insert.setdefault(room, []).append(message)
            outcomes.append(Posted(message, dup=False))
    return outcomes, to_insert


@transaction.atomic
def _store(to_insert: NewMessages) -> None:
    """Give the new messages of each room their seq, insert them, and publish them after the commit."""
    # Every transaction locks rooms in this order, so there is no deadlock.
    for room in sorted(to_insert, key=lambda room: room.pk):
        first = room.advance(len(to_insert[room])) - len(to_insert[room]) + 1
        now = timezone.now()
        for seq, message in enumerate(to_insert[room], first):
            message.seq = message.rev = seq
            message.created_at = now
    Message.objects.store([message for room in to_insert.values() for message in room])
    transaction.on_commit(partial(MESSAGES.inc, sum(map(len, to_insert.values()))))
    for room, messages in to_insert.items():
        _trim(room)
        publish_events(room.stream, map(events.of_message, messages))


def _trim(room: Room) -> None:
    """Delete all but the newest messages, where the room has a limit."""
    if room.max_messages is None:
        return
    surplus = room.messages.order_by("-seq").values_list("seq", flat=True)[room.max_messages : room.max_messages + 1]
    for seq in surplus:
        room.messages.filter(seq__lte=seq).delete()
        Room.objects.filter(pk=room.pk).update(floor=seq)


def _load_known(posts: Sequence[Post]) -> dict[tuple[int, UUID], Message]:
    sent = Message.objects.filter(author__in={post.author.pk for post in posts}, cid__in=[post.cid for post in posts])
    return {(message.author_id, message.cid): message for message in sent.select_related("room", "author")}


def _load_joined_rooms(posts: Sequence[Post]) -> dict[tuple[int, str], Room]:
    """Return the rooms that the authors are in, by (author id, slug); one instance for each room.

    Every post runs this query. Django would take longer to build it than the database to answer it.
    """
    authors = list({post.author.pk for post in posts})
    slugs = list({post.room for post in posts if is_slug(post.room)})
    if not slugs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(JOINED_ROOMS_SQL % (_placeholders(authors), _placeholders(slugs)), [*authors, *slugs])
        rows = cursor.fetchall()
    rooms: dict[int, Room] = {}
    return {
        (author, slug): rooms.get(pk) or rooms.setdefault(pk, Room.from_db(None, ROOM_FIELDS, (pk, slug, *profile)))
        for author, pk, slug, *profile in rows
    }


def _placeholders(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


@transaction.atomic
def edit_message(*, message: int, author: "User", body: str, rev: int) -> Message:
    """Replace the body of the author's own message, and publish the change. It is safe to repeat the call.

    Raises:
        MessageNotFound: The message is deleted or not the author's, or the author is not in its room any more.
        BadMessage: As for post_message.
        Conflict: The message has changed since `rev`.
    """
    found = _get_changeable_message(message, author, Room.objects.none())
    if not is_valid_body(body, found.room.max_body_length):
        raise BadMessage(most=found.room.max_body_length)
    body = normalize_body(body)
    if found.deleted_at is not None:
        raise MessageNotFound
    if found.body == body and found.rev > rev:
        return found  # a retry of an edit that is stored
    head = found.room.advance()
    changed = Message.objects.filter(pk=message, rev=rev, deleted_at=None).update(
        body=body, rev=head, edited_at=timezone.now()
    )
    if not changed:
        raise Conflict
    return _publish_change(message)


@transaction.atomic
def delete_message(*, message: int, user: "User") -> Message:
    """Soft-delete a message of the user, or of a room that the user owns or moderates. It is safe to repeat the call.

    Raises:
        MessageNotFound: The message is neither, or the user is not in its room any more.
    """
    found = _get_changeable_message(message, user, Room.objects.with_role(user, "owner", "moderator"))
    return found if found.deleted_at else soft_delete(found)


def soft_delete(found: Message) -> Message:
    """Empty a message's body, mark it as deleted, and publish the change. Call it in a transaction.

    Raises:
        Conflict: Another transaction has just deleted it.
    """
    head = found.room.advance()
    if not Message.objects.filter(pk=found.pk, deleted_at=None).update(body="", rev=head, deleted_at=timezone.now()):
        raise Conflict
    return _publish_change(found.pk)


def _get_changeable_message(message: int, user: "User", rooms: QuerySet[Room]) -> Message:
    """Return the message, if it is the user's own or in one of these rooms, and the user is in its room.

    Raises MessageNotFound.
    """
    changeable = Q(author=user) | Q(room__in=rooms)
    found = Message.objects.select_related("room", "author").filter(changeable, pk=message)
    if (joined := found.filter(room__in=Room.objects.joined_by(user)).first()) is None:
        raise MessageNotFound
    return joined


def _publish_change(pk: int) -> Message:
    message = Message.objects.select_related("room", "author").get(pk=pk)
    publish_events(message.room.stream, [events.of_message(message)])
    return message


def normalize_body(body: str) -> str:
    """Return the body as it is stored: with line feeds as line ends, without surrounding white space."""
    return body.replace("\r\n", "\n").replace("\r", "\n").strip()


def is_valid_body(body: str, max_length: int) -> bool:
    """Whether the body has 1 to `max_length` characters, which UTF-8 and every database can store."""
    length = len(normalize_body(body))
    return 0 < length <= max_length and "\0" not in body and not any("\ud800" <= c <= "\udfff" for c in body)
