"""What somebody is in a room: the one place where memberships are written."""

from typing import TYPE_CHECKING

from django.db.models import Case, Value, When

from chat import events
from chat.models import Membership, Room
from chat.services.errors import RoomNotFound
from realtime.publisher import publish_events

if TYPE_CHECKING:
    from accounts.models import User

JOINED, BANNED = Membership.State.JOINED, Membership.State.BANNED
OWNER, MODERATOR, MEMBER = Membership.Role.OWNER, Membership.Role.MODERATOR, Membership.Role.MEMBER


def add_member(room: Room, user: "User", role: str = MEMBER) -> Membership:
    """Make the user a member; nothing where they are one already, whatever their role is.

    Raises RoomNotFound for the banned: to them the room is not there. Call it, and the other, in a transaction.
    """
    membership = _locked(room, user)
    if membership is None:
        membership = Membership(room=room, user=user, role=role, state="")
    if membership.state == BANNED:
        raise RoomNotFound
    if membership.state == JOINED:
        return membership
    if membership.pk is None or role == OWNER:
        membership.role = role
    return _changed(membership, JOINED, membership.role)


def remove_member(room: Room, user: "User", state: str) -> Membership | None:
    """End a membership in this state; the user's live sockets are dropped. None for who has never been here.

    Nobody comes back with a role, and where the owner goes the room passes to whoever is next.
    """
    membership = _locked(room, user)
    if membership is None or membership.state == state:
        return membership
    owned = membership.role == OWNER
    _changed(membership, state, MEMBER)
    if owned and room.kind != Room.Kind.DIRECT and (successor := _next_owner(room)):
        _changed(successor, JOINED, OWNER)
    return membership


def set_role(room: Room, user: "User", role: str) -> Membership | None:
    """Let a member be this from now on. None for who is no member."""
    membership = _locked(room, user)
    if membership is None or membership.state != JOINED:
        return None
    return membership if membership.role == role else _changed(membership, JOINED, role)


def _locked(room: Room, user: "User") -> Membership | None:
    Room.objects.select_for_update().get(pk=room.pk)  # of two tabs that enter at once the second finds it done
    membership = Membership.objects.filter(room=room, user=user).first()
    if membership is not None:
        membership.room, membership.user = room, user
    return membership


def _changed(membership: Membership, state: str, role: str) -> Membership:
    """One change of the room, announced."""
    membership.state, membership.role = state, role
    membership.rev = membership.room.advance()
    if membership.pk is None:
        membership.read_seq = membership.rev
    membership.save()
    publish_events(membership.room.stream, [events.of_member(membership)])
    return membership


def _next_owner(room: Room) -> Membership | None:
    """A moderator before others, who came first before who came later; no bot."""
    rank = Case(When(role=MODERATOR, then=Value(0)), default=Value(1))
    candidates = Membership.objects.filter(room=room, state=JOINED, user__is_bot=False).select_related("user")
    successor = candidates.order_by(rank, "joined_at", "pk").first()
    if successor is not None:
        successor.room = room
    return successor
