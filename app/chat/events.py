"""The events of a room, as clients receive them: over the socket, over HTTP, and in the page.

They are plain structs that are encoded once; this module imports no Django. The functions that build them take model
instances whose room and author are loaded.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chat import limits

if TYPE_CHECKING:
    from accounts.models import User
    from chat import models

Slug = Annotated[str, Meta(min_length=1, max_length=limits.SLUG_CHARS)]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # JavaScript numbers are exact up to here
RowId = Annotated[int, Meta(ge=1, le=2**53 - 1)]


Kind = Literal["open", "private", "direct"]
Role = Literal["owner", "moderator", "member"]
State = Literal["joined", "left", "kicked", "banned"]


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user as others see them. `via` is the integration that posted the message under this name."""

    id: RowId
    name: str
    guest: bool
    via: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message. `seq` is its position, `rev` the room's head when it last changed; a deleted one has no body."""

    id: RowId
    seq: Seq
    rev: Seq
    cid: UUID
    author: Person
    body: str
    at: str  # ISO 8601, UTC
    edited: bool
    deleted: bool
    reply_to: RowId | None


class Member(msgspec.Struct, frozen=True):
    """The membership of a user in a room."""

    user: Person
    role: Role
    state: State


class RoomInfo(msgspec.Struct, frozen=True):
    """The description of a room."""

    slug: Slug
    title: str
    topic: str
    kind: Kind
    body: int  # the largest number of characters of a message


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, dict=True):
    """One lasting change of a room. `seq` is the room's head after it; exactly one of the last three fields is set."""

    room: Slug
    seq: Seq
    kind: Literal["message", "member", "room"]
    message: Message | UnsetType = UNSET
    member: Member | UnsetType = UNSET
    info: RoomInfo | UnsetType = UNSET

    @cached_property
    def text(self) -> str:
        """This event as JSON. It is encoded once, however many members receive it."""
        return msgspec.json.encode(self).decode()

    @property
    def removed_member(self) -> int | None:
        """The id of the user who is no longer in the room after this change, or None."""
        return self.member.user.id if self.member is not UNSET and self.member.state != "joined" else None


class Ephemeral(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type", tag="ephemeral"):
    """An event that is not stored and may be lost.

    `typing`: a user began or stopped typing. `presence`: who is online, by id, unless they are too many to list.
    `read`: the user's own read marker moved, on any of their devices.
    """

    room: Slug
    kind: Literal["typing", "presence", "read"]
    user: Person | UnsetType = UNSET  # typing
    on: bool | UnsetType = UNSET  # typing
    here: int | UnsetType = UNSET  # presence: how many users are online
    online: list[RowId] | UnsetType = UNSET  # presence
    idle: list[RowId] | UnsetType = UNSET  # presence: the users among those online who are idle
    seq: Seq | UnsetType = UNSET  # read
    unread: int | UnsetType = UNSET  # read

    @property
    def text(self) -> str:
        """The whole frame as JSON."""
        return msgspec.json.encode(self).decode()


def of_person(user: "User", alias: str = "") -> Person:
    """Return a user as others see them; `alias` is the name under which an integration posted."""
    return Person(id=user.pk, name=alias or user.name, guest=user.is_guest, via=user.name if user.is_bot else "")


def of_message(message: "models.Message") -> Event:
    """Return the event of the message's last change."""
    return Event(
        room=message.room.slug,
        seq=message.rev,
        kind="message",
        message=Message(
            id=message.pk,
            seq=message.seq,
            rev=message.rev,
            cid=message.cid,
            author=of_person(message.author, message.alias),
            body=message.body,
            at=message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            edited=message.edited_at is not None,
            deleted=message.deleted_at is not None,
            reply_to=message.reply_to_id,
        ),
    )


def of_member(membership: "models.Membership") -> Event:
    """Return the event of the membership's last change."""
    return Event(room=membership.room.slug, seq=membership.rev, kind="member", member=member_of(membership))


def member_of(membership: "models.Membership") -> Member:
    """Return a membership as clients see it."""
    return Member(
        user=of_person(membership.user), role=cast("Role", membership.role), state=cast("State", membership.state)
    )


def of_room(room: "models.Room") -> Event:
    """Return the event of the last change of the room's own description."""
    return Event(room=room.slug, seq=room.rev, kind="room", info=info_of(room))


def info_of(room: "models.Room", title: str | None = None) -> RoomInfo:
    """Return the description of a room; `title` replaces its own, in a direct conversation."""
    return RoomInfo(
        slug=room.slug,
        title=title or room.title or room.slug,
        topic=room.topic,
        kind=cast("Kind", room.kind),
        body=room.max_body_length,
    )
