"""Who may be talked with: everybody who has come and not been shut out."""

from typing import TYPE_CHECKING, Literal

import msgspec
from django.contrib.auth import get_user_model
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from chat.services.errors import MemberNotFound
from realtime.presence import online

if TYPE_CHECKING:
    from accounts.models import User

PAGE = 50  # people in one answer


class Listed(msgspec.Struct):
    """Somebody in the list of people."""

    id: int
    username: str
    name: str
    guest: bool
    presence: Literal["online", "idle", "offline"]


class People(msgspec.Struct):
    """A page of the list, by name. `more`: there is a next one."""

    people: list[Listed]
    more: bool


def list_people(*, search: str = "", page: int = 1) -> People:
    """Those whose name has `search` in it, whatever its case. The first page is 1."""
    found = get_user_model().objects.filter(is_active=True, is_bot=False)
    if search := search.replace("\0", "").strip():
        found = found.filter(Q(display_name__icontains=search) | Q(username__icontains=search, is_guest=False))
    called = Lower(Coalesce(NullIf(F("display_name"), Value("")), F("username")))
    first = (page - 1) * PAGE
    rows = list(found.order_by(called, "pk")[first : first + PAGE + 1])
    seen = online([user.pk for user in rows[:PAGE]])
    listed = [
        Listed(user.pk, user.username, user.name, user.is_guest, seen.get(user.pk, "offline")) for user in rows[:PAGE]
    ]
    return People(listed, more=len(rows) > PAGE)


def get_user(number: int) -> "User":
    """The person of this number. Raises MemberNotFound."""
    user = get_user_model().objects.filter(pk=number, is_active=True, is_bot=False).first()
    if user is None:
        raise MemberNotFound("There is no user with this ID.")
    return user
