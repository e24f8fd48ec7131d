"""Saying something, correcting it, taking it back."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat import events
from chat.models import Membership, Message, Room
from chat.models.room import is_slug
from chat.services.errors import BadMessage, ChatError, Conflict, MessageNotFound, RoomNotFound
from realtime.metrics import MESSAGES
from realtime.publisher import publish_events

if TYPE_CHECKING:
    from accounts.models import User


class Posted(NamedTuple):
    """A stored message; `dup` when an earlier call with the same cid had stored it."""

    message: Message
    dup: bool


NewMessages = dict[Room, list[Message]]  # new messages of each room, in order


PROFILE = ("id", "slug", "body_chars", "max_messages")  # the fields of its room that a post needs
_COLUMNS = {field.name: str(field.column) for field in Room._meta.concrete_fields}  # noqa: SLF001  Django's documented way
ROOMS = f"""
    SELECT member.user_id, room.{", room.".join(_COLUMNS[field] for field in PROFILE)}
    FROM chat_membership member JOIN chat_room room ON room.id = member.room_id
    WHERE member.state = '{Membership.State.JOINED}' AND member.user_id IN (%s) AND room.slug IN (%s)
"""  # noqa: S608  nothing of it comes from outside


class Post(NamedTuple):
    """What somebody wants to say: `body` in the room with this slug; `cid` is the client's own id for it."""

    room: str
    author: "User"
    body: str
    cid: UUID
    reply_to: int | None = None
    alias: str = ""  # whom a bot quotes


def post_message(
    *, room: str, author: "User", body: str, cid: UUID, reply_to: int | None = None, alias: str = ""
) -> Posted:
    """Store a message in the room with this slug, and announce it once committed.

    Safe to repeat with the same cid: every call returns the same row, and the room hears it once.
    Raises RoomNotFound unless the author is in the room; BadMessage when body is blank, too long for
    the room or not text, or reply_to is no message of that room; Conflict when the cid was used in another room.
    """
    (outcome,) = post_messages([Post(room, author, body, cid, reply_to, alias)])
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome


def post_messages(posts: Sequence[Post]) -> list[Posted | ChatError]:
    """post_message for many at once, in one transaction; each room gets its messages in the order given.

    A refused post holds up no other: its refusal stands in its place of the answer.
    """
    # Nearly every post is new, and its cid's constraint says so if it is not: a question less for each message.
    outcomes, to_insert = _validate(posts, {})
    if all(isinstance(outcome, Posted) for outcome in outcomes):
        with suppress(IntegrityError):
            _store(to_insert)
            return outcomes
    outcomes, to_insert = _validate(posts, _sent_before(posts))
    try:
        if to_insert:
            _store(to_insert)
    except IntegrityError:  # one of the cids was being stored just now, by a retry that overtook us
        if len(posts) == 1:
            raise
        return [outcome for post in posts for outcome in post_messages([post])]
    return outcomes


def _validate(
    posts: Sequence[Post], known: dict[tuple[int, UUID], Message]
) -> tuple[list[Posted | ChatError], NewMessages]:
    """What becomes of each post, when these were sent before; and the messages that are to be stored."""
    rooms = _rooms_of(posts)
    replied = [post.reply_to for post in posts if post.reply_to]
    asked = set(Message.objects.filter(pk__in=replied).values_list("pk", "room__slug") if replied else ())
    outcomes: list[Posted | ChatError] = []
    to_insert: NewMessages = {}
    for post in posts:
        me = (post.author.pk, post.cid)
        room = rooms.get((post.author.pk, post.room))
        if message := known.get(me):
            same_room = message.room.slug == post.room
            outcomes.append(Posted(message, dup=True) if same_room else Conflict("This cid is of another room."))
        elif room is None:
            outcomes.append(RoomNotFound())
        elif post.reply_to and (post.reply_to, post.room) not in asked:
            outcomes.append(BadMessage("The message you answer is not in this room."))
        elif not is_valid_body(post.body, room.max_body_length):
            outcomes.append(BadMessage(most=room.max_body_length))
        else:
            known[me] = message = Message(
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
    """Give the new messages of each room their places, and announce them once committed."""
    for room in sorted(to_insert, key=lambda room: room.pk):  # everybody locks in this order: no deadlock
        first = room.advance(len(to_insert[room])) - len(to_insert[room]) + 1
        now = timezone.now()
        for place, message in enumerate(to_insert[room], first):
            message.seq = message.rev = place
            message.created_at = now
    Message.objects.store([message for room in to_insert.values() for message in room])
    transaction.on_commit(partial(MESSAGES.inc, sum(map(len, to_insert.values()))))
    for room, messages in to_insert.items():
        _trim(room)
        publish_events(room.stream, map(events.of_message, messages))


def _trim(room: Room) -> None:
    """Keep the newest messages only, where the room's profile says how many."""
    if room.max_messages is None:
        return
    surplus = room.messages.order_by("-seq").values_list("seq", flat=True)[room.max_messages : room.max_messages + 1]
    for seq in surplus:
        room.messages.filter(seq__lte=seq).delete()
        Room.objects.filter(pk=room.pk).update(floor=seq)


def _sent_before(posts: Sequence[Post]) -> dict[tuple[int, UUID], Message]:
    sent = Message.objects.filter(author__in={post.author.pk for post in posts}, cid__in=[post.cid for post in posts])
    return {(message.author_id, message.cid): message for message in sent.select_related("room", "author")}


def _rooms_of(posts: Sequence[Post]) -> dict[tuple[int, str], Room]:
    """The rooms that the authors are in, by author and slug; one instance for each room.

    Every message asks this, and Django would take longer to write the question than the database to answer it.
    """
    authors = list({post.author.pk for post in posts})
    slugs = list({post.room for post in posts if is_slug(post.room)})
    if not slugs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(ROOMS % (_marks(authors), _marks(slugs)), [*authors, *slugs])
        rows = cursor.fetchall()
    rooms: dict[int, Room] = {}
    return {
        (author, slug): rooms.get(pk) or rooms.setdefault(pk, Room.from_db(None, PROFILE, (pk, slug, *profile)))
        for author, pk, slug, *profile in rows
    }


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


@transaction.atomic
def edit_message(*, message: int, author: "User", body: str, rev: int) -> Message:
    """Replace the body of the author's own message. Safe to repeat.

    Raises MessageNotFound unless it is theirs, not deleted, and they are still in its room; BadMessage as
    post_message; Conflict when it has changed since `rev`.
    """
    found = _changeable(message, author, Room.objects.none())
    if not is_valid_body(body, found.room.max_body_length):
        raise BadMessage(most=found.room.max_body_length)
    body = normalize_body(body)
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
def delete_message(*, message: int, user: "User") -> Message:
    """Leave a tombstone without words in the message's place. Safe to repeat.

    Raises MessageNotFound unless it is the user's own or they moderate its room, and they are still in it.
    """
    found = _changeable(message, user, Room.objects.with_role(user, "owner", "moderator"))
    return found if found.deleted_at else soft_delete(found)


def soft_delete(found: Message) -> Message:
    """Take the words from a message, for whoever may; in a transaction. Raises Conflict when somebody just did."""
    head = found.room.advance()
    if not Message.objects.filter(pk=found.pk, deleted_at=None).update(body="", rev=head, deleted_at=timezone.now()):
        raise Conflict
    return _announced(found.pk)


def _changeable(message: int, user: "User", rooms: QuerySet[Room]) -> Message:
    """The message, if it is the user's own or in one of these rooms, and they are in its room.

    Raises MessageNotFound.
    """
    theirs = Q(author=user) | Q(room__in=rooms)
    found = Message.objects.select_related("room", "author").filter(theirs, pk=message)
    if (mine := found.filter(room__in=Room.objects.joined_by(user)).first()) is None:
        raise MessageNotFound
    return mine


def _announced(pk: int) -> Message:
    message = Message.objects.select_related("room", "author").get(pk=pk)
    publish_events(message.room.stream, [events.of_message(message)])
    return message


def normalize_body(body: str) -> str:
    """The body as it is stored: line ends unified, surrounding blank space gone."""
    return body.replace("\r\n", "\n").replace("\r", "\n").strip()


def is_valid_body(body: str, most: int) -> bool:
    """Whether that can be said: 1 to `most` characters, each of which every database and UTF-8 can hold."""
    size = len(normalize_body(body))
    return 0 < size <= most and "\0" not in body and not any("\ud800" <= c <= "\udfff" for c in body)
