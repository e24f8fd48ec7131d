"""Programs that post what people say elsewhere. Each has a token, and a bot that is a member of its rooms.

Whoever governs a room can put the bot out, as they can anybody: then the token is good for that room no more.
"""

import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.names import clean_name
from chat.models import Integration, Membership, Room
from chat.services.errors import ChatError, IntegrationNotFound, RoomNotFound
from chat.services.hashing import hash_token
from chat.services.memberships import add_member, remove_member
from chat.services.rooms import slug_from_name

PREFIX = "parley_"  # of tokens: tells them from access tokens, and scanners for leaked secrets what they found


@transaction.atomic
def create_integration(*, name: str, rooms: Iterable[str]) -> tuple[Integration, str]:
    """Make an integration that may post in these rooms, and its token, which is told this once.

    Open rooms are named as people name them and made where they are not; hidden ones by their slug.
    Raises ValidationError for a name that nobody may have, BadName, RoomNotFound; ChatError where the name is taken,
    or a room is of two people.
    """
    name = clean_name(name)
    if Integration.objects.filter(bot__display_name=name, revoked_at=None).exists():
        raise ChatError(f"There is already an integration named {name}. Revoke it first.")
    bot = User(username=f"bot-{secrets.token_hex(8)}", display_name=name, is_bot=True)
    bot.set_unusable_password()
    bot.save()
    for wanted in rooms:
        add_member(_room(wanted), bot)
    token = PREFIX + secrets.token_urlsafe(32)
    return Integration.objects.create(bot=bot, digest=hash_token(token)), token


@transaction.atomic
def revoke_integration(*, name: str) -> None:
    """Its token is good for nothing any more, and its bot in no room; its words stay. Raises IntegrationNotFound."""
    found = Integration.objects.filter(bot__display_name=name, revoked_at=None).select_related("bot").first()
    if found is None:
        raise IntegrationNotFound
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    for room in Room.objects.joined_by(found.bot).order_by("pk"):
        remove_member(room, found.bot, Membership.State.LEFT)


def find_bot(token: str) -> User | None:
    """Whom this token lets speak; None for one that is unknown or revoked."""
    valid = Integration.objects.filter(digest=hash_token(token), revoked_at=None, bot__is_active=True)
    found = valid.select_related("bot").first()
    return found.bot if found else None


def get_only_room(bot: User) -> str:
    """The slug of the one room that it is in. Raises RoomNotFound where it is in none, ChatError where in several."""
    slugs = list(Room.objects.joined_by(bot).values_list("slug", flat=True)[:2])
    if not slugs:
        raise RoomNotFound
    if len(slugs) > 1:
        raise ChatError("Name the room: this integration is a member of several rooms.")
    return slugs[0]


def _room(name: str) -> Room:
    if not name.startswith("~"):
        return Room.objects.get_or_create(slug=slug_from_name(name))[0]
    room = Room.objects.all().named(name).first()
    if room is None:
        raise RoomNotFound("There is no such room.")
    if room.kind == Room.Kind.DIRECT:
        raise ChatError("An integration cannot join a direct conversation.")
    return room
