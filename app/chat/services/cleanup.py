"""Deletes guests who cannot return, and empty rooms without messages, once they are old enough."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.sessions import get_signed_in_user_ids
from chat.models import Membership, Room
from chat.services.rooms import leave_room


def delete_stale_guests(*, since: datetime) -> int:
    """Delete guests who joined the site before `since` and have no session, message or direct conversation.

    Without a session a guest cannot sign in again. Their rooms are notified that they have left. A guest with
    messages stays, because messages are kept.

    Returns:
        How many guests were deleted.
    """
    candidates = User.objects.filter(is_guest=True, date_joined__lt=since, messages=None).exclude(rooms__kind="direct")
    signed_in = get_signed_in_user_ids()
    stale = [user for user in candidates.order_by("pk") if user.pk not in signed_in]
    for user in stale:
        with transaction.atomic():
            for room in Room.objects.joined_by(user):
                leave_room(slug=room.slug, user=user)
            user.delete()
    return len(stale)


def delete_empty_rooms(*, since: datetime) -> int:
    """Delete rooms that were created before `since` and have no members and no messages.

    A room that is opened under the same name later is a new one.

    Returns:
        How many rooms were deleted.
    """
    without_messages = Room.objects.filter(created_at__lt=since, messages=None)
    empty = without_messages.exclude(memberships__state=Membership.State.JOINED).values_list("pk", flat=True)
    deleted = 0
    for pk in list(empty):
        with transaction.atomic():
            # A user who joins meanwhile waits for this lock, or is found below.
            room = without_messages.select_for_update(of=("self",)).filter(pk=pk).first()
            if room and not room.memberships.filter(state=Membership.State.JOINED).exists():
                room.delete()
                deleted += 1
    return deleted
