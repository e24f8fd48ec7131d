"""The list of people: all active users but bots."""

from typing import TYPE_CHECKING, Literal

import msgspec
from django.contrib.auth import get_user_model
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from channels_realtime.presence import load_presence
from chat.services.errors import MemberNotFound

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50  # people in one answer


class Listed(msgspec.Struct):
    """One person in the list."""

    id: int
    username: str
    name: str
    guest: bool
    presence: Literal["online", "idle", "offline"]


class People(msgspec.Struct):
    """A page of the list, ordered by name. With `more` there is a next page."""

    people: list[Listed]
    more: bool


def list_people(*, search: str = "", page: int = 1) -> People:
    """Return a page of the people whose name contains `search`, in any case. The first page is 1."""
    found = get_user_model().objects.filter(is_active=True, is_bot=False)
    if search := search.replace("\0", "").strip():
        found = found.filter(Q(display_name__icontains=search) | Q(username__icontains=search, is_guest=False))
    shown_name = Lower(Coalesce(NullIf(F("display_name"), Value("")), F("username")))
    first = (page - 1) * PAGE_SIZE
    rows = list(found.order_by(shown_name, "pk")[first : first + PAGE_SIZE + 1])
    presence = load_presence([user.pk for user in rows[:PAGE_SIZE]])
    listed = [
        Listed(user.pk, user.username, user.name, user.is_guest, presence.get(user.pk, "offline"))
        for user in rows[:PAGE_SIZE]
    ]
    return People(listed, more=len(rows) > PAGE_SIZE)


def get_user(number: int) -> "User":
    """Return the active person with this id. Raises MemberNotFound."""
    user = get_user_model().objects.filter(pk=number, is_active=True, is_bot=False).first()
    if user is None:
        raise MemberNotFound("There is no user with this ID.")
    return user
