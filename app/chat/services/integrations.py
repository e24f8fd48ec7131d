"""Integrations: programs that post messages of people on other systems.

Each has a token, and a bot that is a member of its rooms. The owner and the moderators of a room can remove the bot
like any member; then the token does not work for that room any more.
"""

import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.names import clean_name
from chat.models import Integration, Membership, Room
from chat.services.errors import ChatError, IntegrationNotFound, RoomNotFound
from chat.services.memberships import add_member, remove_member
from chat.services.rooms import slug_from_name
from chat.services.tokens import create_token, hash_token

# Tells these tokens from access tokens, and helps scanners to find leaked ones.
TOKEN_PREFIX = "parley_"  # noqa: S105  no password
TOKEN_BYTES = 32


@transaction.atomic
def create_integration(*, name: str, rooms: Iterable[str]) -> tuple[Integration, str]:
    """Create an integration that may post in these rooms.

    Args:
        name: Its display name.
        rooms: Names of open rooms, which are created where they do not exist, and slugs of private ones.

    Returns:
        The integration, and its token, which cannot be read again later.

    Raises:
        ValidationError: The display name is not valid.
        BadName: An open room cannot have this name.
        RoomNotFound: There is no private room with this slug.
        ChatError: Another integration has this name, or a room is a direct conversation.
    """
    name = clean_name(name)
    if Integration.objects.filter(bot__display_name=name, revoked_at=None).exists():
        raise ChatError(f"There is already an integration named {name}. Revoke it first.")
    bot = User(username=f"bot-{secrets.token_hex(8)}", display_name=name, is_bot=True)
    bot.set_unusable_password()
    bot.save()
    for room_name in rooms:
        add_member(_get_or_create_room(room_name), bot)
    token, token_hash = create_token(TOKEN_BYTES, TOKEN_PREFIX)
    return Integration.objects.create(bot=bot, digest=token_hash), token


@transaction.atomic
def revoke_integration(*, name: str) -> None:
    """Make the integration's token invalid and remove its bot from all rooms; its messages stay.

    Raises:
        IntegrationNotFound: No valid integration has this name.
    """
    found = Integration.objects.filter(bot__display_name=name, revoked_at=None).select_related("bot").first()
    if found is None:
        raise IntegrationNotFound
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    for room in Room.objects.joined_by(found.bot).order_by("pk"):
        remove_member(room, found.bot, Membership.State.LEFT)


def find_bot(token: str) -> User | None:
    """Return the bot that this token belongs to; None for an unknown or revoked token."""
    valid = Integration.objects.filter(digest=hash_token(token), revoked_at=None, bot__is_active=True)
    found = valid.select_related("bot").first()
    return found.bot if found else None


def get_only_room(bot: User) -> str:
    """Return the slug of the bot's only room.

    Raises:
        RoomNotFound: The bot is in no room.
        ChatError: The bot is in several rooms.
    """
    slugs = list(Room.objects.joined_by(bot).values_list("slug", flat=True)[:2])
    if not slugs:
        raise RoomNotFound
    if len(slugs) > 1:
        raise ChatError("Name the room: this integration is a member of several rooms.")
    return slugs[0]


def _get_or_create_room(name: str) -> Room:
    if not name.startswith("~"):
        return Room.objects.get_or_create(slug=slug_from_name(name))[0]
    room = Room.objects.all().named(name).first()
    if room is None:
        raise RoomNotFound("There is no such room.")
    if room.kind == Room.Kind.DIRECT:
        raise ChatError("An integration cannot join a direct conversation.")
    return room
