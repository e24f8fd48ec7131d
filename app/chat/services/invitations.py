"""Invitations: links into private rooms, which expire and can be revoked."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction
from django.utils import timezone

from chat.models import Invitation, Room
from chat.services.errors import ChatError, InvitationNotFound, RoomNotFound
from chat.services.memberships import MODERATOR, OWNER, add_member
from chat.services.rooms import get_room_with_role
from chat.services.tokens import create_token, hash_token
from chat.slugs import is_slug

if TYPE_CHECKING:
    from accounts.models import User

DEFAULT_HOURS = 7 * 24
MAX_HOURS = 30 * 24
TOKEN_BYTES = 24


class Invited(msgspec.Struct, omit_defaults=True):
    """An invitation as its room's moderators see it; `token`, the link's secret part, is there only when it is new."""

    id: int
    by: str
    expires_at: str  # ISO 8601, UTC
    token: str = ""


@transaction.atomic
def create_invitation(*, slug: str, by: "User", hours: int = DEFAULT_HOURS) -> Invited:
    """Create a link into a private room that is valid for `hours`, 1 to MAX_HOURS.

    Raises:
        RoomNotFound: `by` does not own or moderate the room.
        ChatError: The room is not private.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    if room.kind != Room.Kind.PRIVATE:
        raise ChatError("An open room needs no invitation. Share its address instead.")
    token, token_hash = create_token(TOKEN_BYTES)
    end = timezone.now() + timedelta(hours=min(max(hours, 1), MAX_HOURS))
    room.invitations.filter(expires_at__lte=timezone.now()).delete()
    invitation = Invitation.objects.create(room=room, made_by=by, digest=token_hash, expires_at=end)
    return _describe(invitation, token)


def list_invitations(*, slug: str, by: "User") -> list[Invited]:
    """Return the room's valid invitations, the newest first. Raises RoomNotFound as create_invitation."""
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    valid = room.invitations.filter(expires_at__gt=timezone.now()).select_related("made_by")
    return [_describe(invitation) for invitation in valid.order_by("-pk")]


def revoke_invitation(*, slug: str, by: "User", invitation: int) -> None:
    """Make an invitation invalid.

    Raises:
        RoomNotFound: `by` does not own or moderate the room.
        InvitationNotFound: The room has no invitation with this id.
    """
    room = get_room_with_role(slug, by, OWNER, MODERATOR)
    deleted, _ = room.invitations.filter(pk=invitation).delete()
    if not deleted:
        raise InvitationNotFound


def get_invited_room(token: str) -> Room:
    """Return the room that the link leads to; who has the link may see its title. Raises InvitationNotFound."""
    valid = Invitation.objects.filter(digest=hash_token(token), expires_at__gt=timezone.now())
    if (found := valid.select_related("room").first()) is None:
        raise InvitationNotFound
    return found.room


@transaction.atomic
def accept_invitation(*, token: str, user: "User") -> Room:
    """Make the user a member of the room, and return it. Raises InvitationNotFound, also for a banned user."""
    room = get_invited_room(token)
    assert is_slug(room.slug)
    try:
        add_member(room, user)
    except RoomNotFound:
        raise InvitationNotFound from None
    return room


def _describe(invitation: Invitation, token: str = "") -> Invited:
    end = invitation.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Invited(id=invitation.pk, by=invitation.made_by.name, expires_at=end, token=token)
