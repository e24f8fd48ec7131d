"""What changes in a room, as everyone outside sees it: over the socket, over HTTP, in the page.

Plain structs, encoded once; no Django here. The builders read model instances whose room and author are loaded.
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
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # what a browser's number holds
RowId = Annotated[int, Meta(ge=1, le=2**53 - 1)]


Kind = Literal["open", "private", "direct"]
Role = Literal["owner", "member"]
State = Literal["joined", "left"]


class Person(msgspec.Struct, frozen=True):
    """A user as others see them."""

    id: RowId
    name: str
    guest: bool


class Message(msgspec.Struct, frozen=True):
    """A message: `seq` is its place, `rev` the room's count when it last changed; a deleted one has no body."""

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
    """Somebody's standing in a room."""

    user: Person
    role: Role
    state: State


class RoomInfo(msgspec.Struct, frozen=True):
    """What a room says of itself."""

    slug: Slug
    title: str
    topic: str
    kind: Kind


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, dict=True):
    """One lasting change of a room. `seq` is the room's count after it; exactly one of the last three is there."""

    room: Slug
    seq: Seq
    kind: Literal["message", "member", "room"]
    message: Message | UnsetType = UNSET
    member: Member | UnsetType = UNSET
    info: RoomInfo | UnsetType = UNSET

    @cached_property
    def text(self) -> str:
        """This event as JSON, encoded once however many receive it."""
        return msgspec.json.encode(self).decode()

    @property
    def drop(self) -> int | None:
        """The user whom this change takes out of the room."""
        return self.member.user.id if self.member is not UNSET and self.member.state == "left" else None


def of_person(user: "User") -> Person:
    return Person(id=user.pk, name=user.name, guest=user.is_guest)


def of_message(message: "models.Message") -> Event:
    """The change that left the message as it is now."""
    return Event(
        room=message.room.slug,
        seq=message.rev,
        kind="message",
        message=Message(
            id=message.pk,
            seq=message.seq,
            rev=message.rev,
            cid=message.cid,
            author=of_person(message.author),
            body=message.body,
            at=message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            edited=message.edited_at is not None,
            deleted=message.deleted_at is not None,
            reply_to=message.reply_to_id,
        ),
    )


def of_member(membership: "models.Membership") -> Event:
    """The change that left the membership as it is now."""
    member = Member(
        user=of_person(membership.user), role=cast("Role", membership.role), state=cast("State", membership.state)
    )
    return Event(room=membership.room.slug, seq=membership.rev, kind="member", member=member)


def of_room(room: "models.Room") -> Event:
    """The change that left the room's own description as it is now."""
    return Event(room=room.slug, seq=room.rev, kind="room", info=info_of(room))


def info_of(room: "models.Room", title: str | None = None) -> RoomInfo:
    return RoomInfo(
        slug=room.slug, title=title or room.title or room.slug, topic=room.topic, kind=cast("Kind", room.kind)
    )
