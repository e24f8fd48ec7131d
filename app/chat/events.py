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
Role = Literal["owner", "moderator", "member"]
State = Literal["joined", "left", "kicked", "banned"]


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user as others see them. `via`: the integration that reported these words, and the name with them."""

    id: RowId
    name: str
    guest: bool
    via: str = ""


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
    body: int  # characters that a message may have


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
        return self.member.user.id if self.member is not UNSET and self.member.state != "joined" else None


class Ephemeral(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type", tag="ephemeral"):
    """Something of this moment only: it is not kept, and may get lost.

    `typing`: who began or stopped. `presence`: who is there, by id, where they are not too many to tell. `read`: how
    far I have read, on whichever of my devices.
    """

    room: Slug
    kind: Literal["typing", "presence", "read"]
    user: Person | UnsetType = UNSET  # typing
    on: bool | UnsetType = UNSET  # typing
    here: int | UnsetType = UNSET  # presence: how many
    online: list[RowId] | UnsetType = UNSET  # presence
    idle: list[RowId] | UnsetType = UNSET  # presence: of those online, who does nothing
    seq: Seq | UnsetType = UNSET  # read
    unread: int | UnsetType = UNSET  # read

    @property
    def text(self) -> str:
        """The frame."""
        return msgspec.json.encode(self).decode()


def of_person(user: "User", alias: str = "") -> Person:
    return Person(id=user.pk, name=alias or user.name, guest=user.is_guest, via=user.name if user.is_bot else "")


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
            author=of_person(message.author, message.alias),
            body=message.body,
            at=message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            edited=message.edited_at is not None,
            deleted=message.deleted_at is not None,
            reply_to=message.reply_to_id,
        ),
    )


def of_member(membership: "models.Membership") -> Event:
    """The change that left the membership as it is now."""
    return Event(room=membership.room.slug, seq=membership.rev, kind="member", member=member_of(membership))


def member_of(membership: "models.Membership") -> Member:
    return Member(
        user=of_person(membership.user), role=cast("Role", membership.role), state=cast("State", membership.state)
    )


def of_room(room: "models.Room") -> Event:
    """The change that left the room's own description as it is now."""
    return Event(room=room.slug, seq=room.rev, kind="room", info=info_of(room))


def info_of(room: "models.Room", title: str | None = None) -> RoomInfo:
    return RoomInfo(
        slug=room.slug,
        title=title or room.title or room.slug,
        topic=room.topic,
        kind=cast("Kind", room.kind),
        body=room.max_body_length,
    )
