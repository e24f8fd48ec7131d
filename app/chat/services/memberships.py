"""Writing memberships: the only place that does. Call these functions in a transaction."""

from typing import TYPE_CHECKING

from django.db.models import Case, Value, When

from channels_realtime.publisher import publish_events
from chat import events
from chat.models import Membership, Room
from chat.services.errors import RoomNotFound

if TYPE_CHECKING:
    from accounts.models import User

JOINED, BANNED = Membership.State.JOINED, Membership.State.BANNED
OWNER, MODERATOR, MEMBER = Membership.Role.OWNER, Membership.Role.MODERATOR, Membership.Role.MEMBER


def add_member(room: Room, user: "User", role: str = MEMBER) -> Membership:
    """Make the user a member with this role, and return the membership. A member keeps the role that they have.

    Raises:
        RoomNotFound: The user is banned.
    """
    membership = _lock_membership(room, user)
    if membership is None:
        membership = Membership(room=room, user=user, role=role, state="")
    if membership.state == BANNED:
        raise RoomNotFound
    if membership.state == JOINED:
        return membership
    if membership.pk is None or role == OWNER:
        membership.role = role
    return _save_change(membership, JOINED, membership.role)


def remove_member(room: Room, user: "User", state: str) -> Membership | None:
    """End a membership with this state; the hub removes the user's sockets from the room.

    The role is lost. When the owner is removed, the next owner gets the room.

    Returns:
        The membership; None for a user who has never been a member.
    """
    membership = _lock_membership(room, user)
    if membership is None or membership.state == state:
        return membership
    was_owner = membership.role == OWNER
    _save_change(membership, state, MEMBER)
    if was_owner and room.kind != Room.Kind.DIRECT and (successor := _next_owner(room)):
        _save_change(successor, JOINED, OWNER)
    return membership


def set_role(room: Room, user: "User", role: str) -> Membership | None:
    """Give a member this role, and return the membership; None for a user who is not a member."""
    membership = _lock_membership(room, user)
    if membership is None or membership.state != JOINED:
        return None
    return membership if membership.role == role else _save_change(membership, JOINED, role)


def _lock_membership(room: Room, user: "User") -> Membership | None:
    # The lock lets the second of two sockets that join at once find the membership.
    Room.objects.select_for_update().get(pk=room.pk)
    membership = Membership.objects.filter(room=room, user=user).first()
    if membership is not None:
        membership.room, membership.user = room, user
    return membership


def _save_change(membership: Membership, state: str, role: str) -> Membership:
    """Store a membership as one change of its room, and publish it after the commit."""
    membership.state, membership.role = state, role
    membership.rev = membership.room.advance()
    if membership.pk is None:
        membership.read_seq = membership.rev
    membership.save()
    publish_events(membership.room.stream, [events.of_member(membership)])
    return membership


def _next_owner(room: Room) -> Membership | None:
    """Return the member who gets an ownerless room: moderators first, then who joined first, but no bot."""
    rank = Case(When(role=MODERATOR, then=Value(0)), default=Value(1))
    candidates = Membership.objects.filter(room=room, state=JOINED, user__is_bot=False).select_related("user")
    successor = candidates.order_by(rank, "joined_at", "pk").first()
    if successor is not None:
        successor.room = room
    return successor
