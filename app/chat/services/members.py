"""Who is in a room, who may be, and as what. A room's owner and moderators decide.

What somebody may not do there looks as if the room, or the other person, were not there.
"""

from typing import TYPE_CHECKING

import msgspec
from django.db import transaction

from chat import events
from chat.models import Membership, Room
from chat.services import memberships
from chat.services.errors import ChatError, MemberNotFound
from chat.services.memberships import BANNED, JOINED, MEMBER, MODERATOR, OWNER
from chat.services.rooms import get_joined_room, get_room_with_role

if TYPE_CHECKING:
    from accounts.models import User

PAGE = 100  # people in one answer


class Members(msgspec.Struct):
    """A page of a room's people, by their ids. `more`: ask again `after` the last one's."""

    members: list[events.Member]
    more: bool


def list_members(*, slug: str, user: "User", state: str = JOINED, after: int = 0) -> Members:
    """Those in the user's room; with another state, those who are no more: for its owner and moderators.

    Raises RoomNotFound.
    """
    room = get_joined_room(slug, user) if state == JOINED else get_room_with_role(slug, user, OWNER, MODERATOR)
    rows = room.memberships.filter(state=state).select_related("room", "user").order_by("user")
    found = list(rows.filter(user__gt=after)[: PAGE + 1])
    return Members([events.member_of(row) for row in found[:PAGE]], len(found) > PAGE)


@transaction.atomic
def add_member(*, slug: str, by: "User", user: "User") -> Membership:
    """Let somebody into a private room. Raises RoomNotFound unless `by` owns or moderates it."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    if room.kind != Room.Kind.PRIVATE:
        raise ChatError("You cannot add members to an open room: people join it themselves.")
    if room.memberships.filter(user=user, state=BANNED).exists():
        raise ChatError("This user is banned. Lift the ban first.")
    return memberships.add_member(room, user)


@transaction.atomic
def remove_member(*, slug: str, by: "User", user: int, ban: bool = False) -> Membership:
    """Remove somebody, and with `ban` let them never come back.

    Raises RoomNotFound unless `by` owns or moderates the room; MemberNotFound for whoever is not in it, or not below
    them: the owner is above moderators, they are above members.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    target = _below(room, by, user, ban=ban)
    membership = memberships.remove_member(room, target.user, BANNED if ban else Membership.State.KICKED)
    assert membership is not None
    return membership


@transaction.atomic
def unban_member(*, slug: str, by: "User", user: int) -> Membership:
    """Let somebody come again. Raises RoomNotFound unless `by` owns or moderates the room; MemberNotFound."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    banned = room.memberships.filter(user=user, state=BANNED).select_related("user").first()
    membership = banned and memberships.remove_member(room, banned.user, Membership.State.LEFT)
    if not membership:
        raise MemberNotFound
    return membership


@transaction.atomic
def set_role(*, slug: str, by: "User", user: int, role: str) -> Membership:
    """Make a member a moderator or a moderator a member; with "owner" the room passes on, and `by` moderates it.

    Raises RoomNotFound unless `by` owns the room; MemberNotFound for whoever is not in it.
    """
    room = get_room_with_role(slug, by, OWNER)
    target = _below(room, by, user)
    if target.user.is_bot and role != MEMBER:
        raise ChatError("An integration cannot have another role.")
    if role == OWNER:
        memberships.set_role(room, by, MODERATOR)
    membership = memberships.set_role(room, target.user, role)
    assert membership is not None
    return membership


def _below(room: Room, by: "User", user: int, *, ban: bool = False) -> Membership:
    rank: list[str] = [OWNER, MODERATOR, MEMBER]
    mine = room.memberships.get(user=by)
    theirs = room.memberships.filter(user=user).select_related("user").first()
    here = theirs is not None and (theirs.state == JOINED or (ban and theirs.state != BANNED))
    if theirs is None or not here or rank.index(theirs.role) <= rank.index(mine.role):
        raise MemberNotFound
    return theirs
