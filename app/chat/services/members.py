"""The members of a room, as its owner and moderators manage them.

A user who must not do something gets the answer for a room, or a member, that does not exist.
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

PAGE_SIZE = 100  # members in one answer


class Members(msgspec.Struct):
    """A page of a room's members, ordered by user id. With `more` there is another page `after` the last id."""

    members: list[events.Member]
    more: bool


def list_members(*, slug: str, user: "User", state: str = JOINED, after: int = 0) -> Members:
    """Return a page of the room's members, or of its former members with another state.

    Args:
        slug: The room.
        user: Who asks.
        state: The state of the memberships; one other than "joined" only for the owner and the moderators.
        after: The user id after which the page begins.

    Raises:
        RoomNotFound: `user` is not in the room, or has not the role that `state` needs.
    """
    room = get_joined_room(slug, user) if state == JOINED else get_room_with_role(slug, user, OWNER, MODERATOR)
    rows = room.memberships.filter(state=state).select_related("room", "user").order_by("user")
    found = list(rows.filter(user__gt=after)[: PAGE_SIZE + 1])
    return Members([events.member_of(row) for row in found[:PAGE_SIZE]], len(found) > PAGE_SIZE)


@transaction.atomic
def add_member(*, slug: str, by: "User", user: "User") -> Membership:
    """Add a user to a private room.

    Raises:
        RoomNotFound: `by` does not own or moderate the room.
        ChatError: The room is not private, or the user is banned.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    if room.kind != Room.Kind.PRIVATE:
        raise ChatError("You cannot add members to an open room: people join it themselves.")
    if room.memberships.filter(user=user, state=BANNED).exists():
        raise ChatError("This user is banned. Lift the ban first.")
    return memberships.add_member(room, user)


@transaction.atomic
def remove_member(*, slug: str, by: "User", user: int, ban: bool = False) -> Membership:
    """Remove a member; with `ban`, the user cannot join again.

    Raises:
        RoomNotFound: `by` does not own or moderate the room.
        MemberNotFound: The user is not in the room, or not below `by`: an owner is above moderators, and they are above
            members. With `ban`, a former member can be banned as well.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    target = _get_member_below(room, by, user, ban=ban)
    membership = memberships.remove_member(room, target.user, BANNED if ban else Membership.State.KICKED)
    assert membership is not None
    return membership


@transaction.atomic
def unban_member(*, slug: str, by: "User", user: int) -> Membership:
    """Let a banned user join again.

    Raises:
        RoomNotFound: `by` does not own or moderate the room.
        MemberNotFound: The user is not banned.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    banned = room.memberships.filter(user=user, state=BANNED).select_related("user").first()
    membership = banned and memberships.remove_member(room, banned.user, Membership.State.LEFT)
    if not membership:
        raise MemberNotFound
    return membership


@transaction.atomic
def set_role(*, slug: str, by: "User", user: int, role: str) -> Membership:
    """Give a member another role. With "owner" the ownership is transferred, and `by` becomes a moderator.

    Raises:
        RoomNotFound: `by` does not own the room.
        MemberNotFound: The user is not in the room.
        ChatError: The user is the bot of an integration.
    """
    room = get_room_with_role(slug, by, OWNER)
    target = _get_member_below(room, by, user)
    if target.user.is_bot and role != MEMBER:
        raise ChatError("An integration cannot have another role.")
    if role == OWNER:
        memberships.set_role(room, by, MODERATOR)
    membership = memberships.set_role(room, target.user, role)
    assert membership is not None
    return membership


def _get_member_below(room: Room, by: "User", user: int, *, ban: bool = False) -> Membership:
    ranks: list[str] = [OWNER, MODERATOR, MEMBER]
    own = room.memberships.get(user=by)
    target = room.memberships.filter(user=user).select_related("user").first()
    is_present = target is not None and (target.state == JOINED or (ban and target.state != BANNED))
    if target is None or not is_present or ranks.index(target.role) <= ranks.index(own.role):
        raise MemberNotFound
    return target
