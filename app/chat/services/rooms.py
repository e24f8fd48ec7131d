"""Creating, joining and leaving rooms, and a user's own list of them."""

import secrets
import unicodedata
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from channels_realtime.publisher import notify_user, publish_events
from chat import events, limits
from chat.models import Membership, Message, Room
from chat.services.errors import BadName, ChatError, RoomNotFound
from chat.services.memberships import add_member, remove_member
from chat.slugs import is_open_slug

if TYPE_CHECKING:
    from accounts.models import User


def slug_from_name(name: str) -> str:
    """Return the slug of the open room with this name. Raises BadName when no room can have it."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    slug = "-".join(folded.lstrip("#").split())
    if not is_open_slug(slug):
        raise BadName
    return slug


def find_room(slug: str, user: "User") -> Room | None:
    """Return a room whose page the user may see; None for an open room that does not exist yet.

    Raises:
        RoomNotFound: The room is private or direct, and the user is not in it or it does not exist.
    """
    if is_open_slug(slug):
        return Room.objects.filter(slug=slug).first()
    return get_joined_room(slug, user)


def get_joined_room(slug: str, user: "User") -> Room:
    """Return the room, if the user is in it. Raises RoomNotFound."""
    room = Room.objects.joined_by(user).named(slug).first()
    if room is None:
        raise RoomNotFound
    return room


def get_room_with_role(slug: str, user: "User", *roles: str) -> Room:
    """Return the room, if the user is in it with one of these roles. Raises RoomNotFound."""
    if (room := Room.objects.with_role(user, *roles).named(slug).first()) is None:
        raise RoomNotFound
    return room


def join_room(*, slug: str, user: "User") -> Room:
    """Make the user a member of the room, and return it. The first member of an open room creates and owns it.

    Raises:
        RoomNotFound: The room is private or direct and the user is not in it, or the user is banned.
        BadName: No open room can have this slug.
    """
    room = Room.objects.joined_by(user).named(slug).first()
    if room is not None:
        return room
    if slug.startswith("~"):
        raise RoomNotFound
    if (normalised := slug_from_name(slug)) != slug:  # names that look the same are the same room
        raise BadName(f"The name of that room is written {normalised}.")
    return _join_open_room(slug, user)


@transaction.atomic
def _join_open_room(slug: str, user: "User") -> Room:
    room, is_new = Room.objects.get_or_create(slug=slug)
    add_member(room, user, Membership.Role.OWNER if is_new or _has_no_people(room) else Membership.Role.MEMBER)
    return room


def _has_no_people(room: Room) -> bool:
    return not room.memberships.filter(state=Membership.State.JOINED, user__is_bot=False).exists()


@transaction.atomic
def leave_room(*, slug: str, user: "User") -> None:
    """End the user's membership; the hub removes their sockets from the room.

    Raises:
        RoomNotFound: The user is not in the room.
        ChatError: The room is direct: both people have to be in it.
    """
    room = get_joined_room(slug, user)
    if room.kind == Room.Kind.DIRECT:
        raise ChatError("A direct conversation cannot be left.")
    remove_member(room, user, Membership.State.LEFT)


@transaction.atomic
def create_private_room(*, title: str, topic: str = "", owner: "User") -> Room:
    """Create a private room with a random slug. Raises BadName for a wrong title or topic."""
    room = Room(slug=_hidden_slug(), kind=Room.Kind.PRIVATE, title=_one_line(title), topic=_one_line(topic))
    check_description(room)
    room.save()
    add_member(room, owner, Membership.Role.OWNER)
    return room


@transaction.atomic
def open_direct_room(*, me: "User", other: "User") -> Room:
    """Return the direct room of these two people, which is created or opened again. Raises ChatError for one person."""
    if me.pk == other.pk:
        raise ChatError("A conversation needs two people.")
    pair = "{}:{}".format(*sorted((me.pk, other.pk)))
    room, _ = Room.objects.get_or_create(kind=Room.Kind.DIRECT, pair=pair, defaults={"slug": _hidden_slug()})
    for user in (me, other):
        add_member(room, user)
    return room


@transaction.atomic
def end_direct_room(*, slug: str, user: "User") -> None:
    """End both people's memberships of a direct room. Its messages stay, for when one of them opens it again.

    Raises:
        RoomNotFound: The user is in no direct room with this slug.
    """
    room = get_joined_room(slug, user)
    if room.kind != Room.Kind.DIRECT:
        raise RoomNotFound
    for membership in room.memberships.select_related("user").order_by("pk"):
        remove_member(room, membership.user, Membership.State.LEFT)


@transaction.atomic
def update_room(*, slug: str, user: "User", title: str | None = None, topic: str | None = None) -> Room:
    """Change a room's title or topic; None leaves it as it is.

    Raises:
        RoomNotFound: The user does not own the room.
        BadName: The room cannot have this title or topic.
    """
    room = get_room_with_role(slug, user, Membership.Role.OWNER)
    room.title = room.title if title is None else _one_line(title)
    room.topic = room.topic if topic is None else _one_line(topic)
    check_description(room)
    room.rev = room.advance()
    room.save(update_fields=["title", "topic", "rev"])
    publish_events(room.stream, [events.of_room(room)])
    return room


def mark_read(*, slug: str, user: "User", seq: int) -> int:
    """Move the user's read marker up to `seq`, never back.

    Returns:
        How many messages of others are still unread.

    Raises:
        RoomNotFound: The user is not in the room.
    """
    room = get_joined_room(slug, user)
    membership = Membership.objects.filter(room=room, user=user)
    moved = membership.filter(read_seq__lt=min(seq, room.head)).update(read_seq=min(seq, room.head))
    marker, unread = membership.annotate(unread=UNREAD_COUNT).values_list("read_seq", "unread").get()
    if moved:  # shown on the user's other tabs and devices, too
        notify_user(user.pk, events.Ephemeral(room=room.slug, kind="read", seq=marker, unread=unread).text)
    return int(unread)


# For each membership: how many messages of others have a seq above its read marker.
UNREAD_COUNT = Coalesce(
    Subquery(
        Message.objects.filter(room=OuterRef("room"), seq__gt=OuterRef("read_seq"), deleted_at=None)
        .exclude(author=OuterRef("user"))
        .order_by()
        .values("room")
        .annotate(count=Count("pk"))
        .values("count"),
        output_field=IntegerField(),
    ),
    0,
)


class RoomSummary(msgspec.Struct):
    """A room as its member sees it in a list."""

    slug: str
    title: str
    kind: str
    topic: str
    unread: int
    head: int


def list_rooms(user: "User") -> list[RoomSummary]:
    """Return the rooms that the user is in; the one with the newest message is first."""
    newest = Message.objects.filter(room=OuterRef("room")).order_by("-seq").values("created_at")[:1]
    rows = (
        Membership.objects.filter(user=user, state=Membership.State.JOINED)
        .select_related("room")
        .annotate(unread=UNREAD_COUNT, last_message_at=Coalesce(Subquery(newest), "joined_at"))
        .order_by("-last_message_at", "room__slug")
    )
    return [
        RoomSummary(
            row.room.slug, get_room_title(row.room, user), row.room.kind, row.room.topic, row.unread, row.room.head
        )
        for row in rows
    ]


def get_room_title(room: Room, user: "User") -> str:
    """Return the room's title for this user; a direct room has the other person's name."""
    if room.kind == Room.Kind.DIRECT and (other := room.members.exclude(pk=user.pk).first()):
        return other.name
    return room.title or room.slug


def _hidden_slug() -> str:
    return "~" + secrets.token_urlsafe(12)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def check_description(room: Room) -> None:
    """Raise BadName for a title or topic that this room cannot have."""
    if room.kind == Room.Kind.PRIVATE and not room.title:
        raise BadName("A private room needs a title.")  # its slug is random
    if len(room.title) > limits.TITLE_CHARS or len(room.topic) > limits.TOPIC_CHARS:
        raise BadName(f"A title has at most {limits.TITLE_CHARS} characters, a topic {limits.TOPIC_CHARS}.")
