"""Guests who will not come back, and rooms where nobody is and nobody has spoken: after a while they go."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.sessions import get_signed_in_user_ids
from chat.models import Membership, Room
from chat.services.rooms import leave_room


def delete_stale_guests(*, since: datetime) -> int:
    """Delete guests who came before `since`, have no session left, and have said nothing. Returns how many.

    Without its session nobody can be that guest again. Their rooms learn that they have left. Words outlive people,
    so whoever has spoken stays, and so does whoever has a direct conversation.
    """
    silent = User.objects.filter(is_guest=True, date_joined__lt=since, messages=None).exclude(rooms__kind="direct")
    signed_in = get_signed_in_user_ids()
    gone = [user for user in silent.order_by("pk") if user.pk not in signed_in]
    for user in gone:
        with transaction.atomic():
            for room in Room.objects.joined_by(user):
                leave_room(slug=room.slug, user=user)
            user.delete()
    return len(gone)


def delete_empty_rooms(*, since: datetime) -> int:
    """Delete rooms opened before `since` where nobody is and nobody has ever spoken. Returns how many.

    Whoever opens one of that name again gets a new one.
    """
    silent = Room.objects.filter(created_at__lt=since, messages=None)
    empty = silent.exclude(memberships__state=Membership.State.JOINED).values_list("pk", flat=True)
    gone = 0
    for key in list(empty):
        with transaction.atomic():
            # Whoever enters meanwhile waits for the row, or we find them here.
            room = silent.select_for_update(of=("self",)).filter(pk=key).first()
            if room and not room.memberships.filter(state=Membership.State.JOINED).exists():
                room.delete()
                gone += 1
    return gone
