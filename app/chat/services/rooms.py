"""Opening, entering and leaving rooms, and what a user's own list of them says."""

import secrets
import unicodedata
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from chat import events, limits
from chat.models import Membership, Message, Room
from chat.models.room import is_open_slug
from chat.services.errors import BadName, ChatError, RoomNotFound
from chat.services.memberships import add_member, remove_member
from realtime.publisher import notify_user, publish_events

if TYPE_CHECKING:
    from accounts.models import User


def slug_from_name(name: str) -> str:
    """The address of the open room that people mean by this name. Raises BadName when there is none."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    slug = "-".join(folded.lstrip("#").split())
    if not is_open_slug(slug):
        raise BadName
    return slug


def find_room(slug: str, user: "User") -> Room | None:
    """The room, if this user may look at its page; None for an open one that nobody has entered yet.

    Raises RoomNotFound for a hidden room that the user is not in, whether it exists or not.
    """
    if is_open_slug(slug):
        return Room.objects.filter(slug=slug).first()
    return get_joined_room(slug, user)


def get_joined_room(slug: str, user: "User") -> Room:
    """The room, if the user is in it. Raises RoomNotFound."""
    room = Room.objects.joined_by(user).named(slug).first()
    if room is None:
        raise RoomNotFound
    return room


def get_room_with_role(slug: str, user: "User", *roles: str) -> Room:
    """The room, if the user is in it as one of these. Raises RoomNotFound."""
    if (room := Room.objects.with_role(user, *roles).named(slug).first()) is None:
        raise RoomNotFound
    return room


def join_room(*, slug: str, user: "User") -> Room:
    """Be in the room afterwards. An open room is made by its first visitor, who owns it.

    Raises RoomNotFound for a hidden room that the user is not in, BadName for what can be no room's slug.
    """
    room = Room.objects.joined_by(user).named(slug).first()
    if room is not None:
        return room
    if slug.startswith("~"):
        raise RoomNotFound
    if (meant := slug_from_name(slug)) != slug:  # two rooms whose names people cannot tell apart are one
        raise BadName(f"The name of that room is written {meant}.")
    return _enter_open(slug, user)


@transaction.atomic
def _enter_open(slug: str, user: "User") -> Room:
    room, made = Room.objects.get_or_create(slug=slug)
    add_member(room, user, Membership.Role.OWNER if made or _deserted(room) else Membership.Role.MEMBER)
    return room


def _deserted(room: Room) -> bool:
    return not room.memberships.filter(state=Membership.State.JOINED, user__is_bot=False).exists()


@transaction.atomic
def leave_room(*, slug: str, user: "User") -> None:
    """Be out of the room afterwards; the user's live sockets are dropped from it. Raises RoomNotFound.

    A direct room cannot be left: it would be half a conversation.
    """
    room = get_joined_room(slug, user)
    if room.kind == Room.Kind.DIRECT:
        raise ChatError("A direct conversation cannot be left.")
    remove_member(room, user, Membership.State.LEFT)


@transaction.atomic
def create_private_room(*, title: str, topic: str = "", owner: "User") -> Room:
    """Make a private room; its slug is random and tells nothing."""
    room = Room(slug=_hidden_slug(), kind=Room.Kind.PRIVATE, title=_line(title), topic=_line(topic))
    check_description(room)
    room.save()
    add_member(room, owner, Membership.Role.OWNER)
    return room


@transaction.atomic
def open_direct_room(*, me: "User", other: "User") -> Room:
    """The one room of these two people, made when they first talk; both are in it, also after it was ended."""
    if me.pk == other.pk:
        raise ChatError("A conversation needs two people.")
    pair = "{}:{}".format(*sorted((me.pk, other.pk)))
    room, _ = Room.objects.get_or_create(kind=Room.Kind.DIRECT, pair=pair, defaults={"slug": _hidden_slug()})
    for user in (me, other):
        add_member(room, user)
    return room


@transaction.atomic
def end_direct_room(*, slug: str, user: "User") -> None:
    """Take both people out of their conversation; its words stay, for when one of them opens it again.

    Raises RoomNotFound unless the user is in a direct room of that slug.
    """
    room = get_joined_room(slug, user)
    if room.kind != Room.Kind.DIRECT:
        raise RoomNotFound
    for membership in room.memberships.select_related("user").order_by("pk"):
        remove_member(room, membership.user, Membership.State.LEFT)


@transaction.atomic
def update_room(*, slug: str, user: "User", title: str | None = None, topic: str | None = None) -> Room:
    """Change a room's title or topic. Raises RoomNotFound unless the user owns the room."""
    room = get_room_with_role(slug, user, Membership.Role.OWNER)
    room.title = room.title if title is None else _line(title)
    room.topic = room.topic if topic is None else _line(topic)
    check_description(room)
    room.rev = room.advance()
    room.save(update_fields=["title", "topic", "rev"])
    publish_events(room.stream, [events.of_room(room)])
    return room


def mark_read(*, slug: str, user: "User", seq: int) -> int:
    """Move the user's read marker up to seq, never back. Returns the messages still unread."""
    room = get_joined_room(slug, user)
    mine = Membership.objects.filter(room=room, user=user)
    moved = mine.filter(read_seq__lt=min(seq, room.head)).update(read_seq=min(seq, room.head))
    marker, unread = mine.annotate(unread=UNREAD).values_list("read_seq", "unread").get()
    if moved:  # on the user's other tabs and devices, too
        notify_user(user.pk, events.Ephemeral(room=room.slug, kind="read", seq=marker, unread=unread).text)
    return int(unread)


# How many messages of others stand above a membership's marker.
UNREAD = Coalesce(
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
    """A room as its member sees it in a list: in the side bar, over HTTP."""

    slug: str
    title: str
    kind: str
    topic: str
    unread: int
    head: int


def list_rooms(user: "User") -> list[RoomSummary]:
    """The rooms the user is in, the ones with the newest words first."""
    newest = Message.objects.filter(room=OuterRef("room")).order_by("-seq").values("created_at")[:1]
    rows = (
        Membership.objects.filter(user=user, state=Membership.State.JOINED)
        .select_related("room")
        .annotate(unread=UNREAD, spoken_at=Coalesce(Subquery(newest), "joined_at"))
        .order_by("-spoken_at", "room__slug")
    )
    return [
        RoomSummary(
            row.room.slug, get_room_title(row.room, user), row.room.kind, row.room.topic, row.unread, row.room.head
        )
        for row in rows
    ]


def get_room_title(room: Room, user: "User") -> str:
    """The room's title; a direct room is called after the other person."""
    if room.kind == Room.Kind.DIRECT and (other := room.members.exclude(pk=user.pk).first()):
        return other.name
    return room.title or room.slug


def _hidden_slug() -> str:
    return "~" + secrets.token_urlsafe(12)


def _line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def check_description(room: Room) -> None:
    """Raises BadName for a title or topic that this room cannot have."""
    if room.kind == Room.Kind.PRIVATE and not room.title:
        raise BadName("A private room needs a title.")  # its slug says nothing to people
    if len(room.title) > limits.TITLE_CHARS or len(room.topic) > limits.TOPIC_CHARS:
        raise BadName(f"A title has at most {limits.TITLE_CHARS} characters, a topic {limits.TOPIC_CHARS}.")
