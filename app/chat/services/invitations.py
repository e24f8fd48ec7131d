"""Links into private rooms, that expire and can be revoked."""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction
from django.utils import timezone

from chat.models import Invitation, Room
from chat.models.room import is_slug
from chat.services.errors import ChatError, InvitationNotFound, RoomNotFound
from chat.services.hashing import hash_token
from chat.services.memberships import MODERATOR, OWNER, add_member
from chat.services.rooms import get_room_with_role

if TYPE_CHECKING:
    from accounts.models import User

HOURS = 7 * 24  # unless the inviter says otherwise
HOURS_AT_MOST = 30 * 24


class Invited(msgspec.Struct, omit_defaults=True):
    """An invitation as its room's moderators see it; `token`, the link's secret part, is told once: when it is made."""

    id: int
    by: str
    expires_at: str  # ISO 8601, UTC
    token: str = ""


@transaction.atomic
def create_invitation(*, slug: str, by: "User", hours: int = HOURS) -> Invited:
    """Make a link into a private room. Raises RoomNotFound unless `by` owns or moderates it."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    if room.kind != Room.Kind.PRIVATE:
        raise ChatError("An open room needs no invitation. Share its address instead.")
    token = secrets.token_urlsafe(24)
    end = timezone.now() + timedelta(hours=min(max(hours, 1), HOURS_AT_MOST))
    room.invitations.filter(expires_at__lte=timezone.now()).delete()
    made = Invitation.objects.create(room=room, made_by=by, digest=hash_token(token), expires_at=end)
    return _told(made, token)


def list_invitations(*, slug: str, by: "User") -> list[Invited]:
    """Those of the room that still let people in, the newest first. Raises RoomNotFound as create_invitation."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    valid = room.invitations.filter(expires_at__gt=timezone.now()).select_related("made_by")
    return [_told(one) for one in valid.order_by("-pk")]


def revoke_invitation(*, slug: str, by: "User", invitation: int) -> None:
    """Nobody comes in with it any more. Raises RoomNotFound as create_invitation, InvitationNotFound."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    gone, _ = room.invitations.filter(pk=invitation).delete()
    if not gone:
        raise InvitationNotFound


def get_invited_room(token: str) -> Room:
    """The room behind the link: its title is no secret to whoever has it. Raises InvitationNotFound."""
    valid = Invitation.objects.filter(digest=hash_token(token), expires_at__gt=timezone.now())
    if (found := valid.select_related("room").first()) is None:
        raise InvitationNotFound
    return found.room


@transaction.atomic
def accept_invitation(*, token: str, user: "User") -> Room:
    """Be in the room afterwards. Raises InvitationNotFound, also for the banned."""
    room = get_invited_room(token)
    assert is_slug(room.slug)
    try:
        add_member(room, user)
    except RoomNotFound:
        raise InvitationNotFound from None
    return room


def _told(one: Invitation, token: str = "") -> Invited:
    end = one.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Invited(id=one.pk, by=one.made_by.name, expires_at=end, token=token)
