"""Direct conversations as lists of contacts show them: by usernames, with which people find each other."""

from typing import TYPE_CHECKING

import msgspec

from chat.events import Slug
from chat.models import Membership, Room
from chat.services.errors import RoomNotFound
from chat.services.rooms import UNREAD_COUNT

if TYPE_CHECKING:
    from accounts.models import User


class Contact(msgspec.Struct):
    """The other person of a conversation; `chat` is the conversation's id."""

    username: str
    name: str
    guest: bool
    chat: Slug


class Chat(msgspec.Struct):
    """A direct conversation: `id` is its room's slug, `participants` are two usernames in alphabetical order."""

    id: Slug
    participants: list[str]
    contact: Contact
    unread: int
    head: int


def list_chats(user: "User", slug: str | None = None) -> list[Chat]:
    """Return the user's conversations, ordered by the other person's name, or only the one with this slug."""
    direct = Membership.objects.filter(user=user, state=Membership.State.JOINED, room__kind=Room.Kind.DIRECT)
    if slug is not None:
        direct = direct.filter(room__in=Room.objects.all().named(slug))
    mine = {row.room_id: row for row in direct.select_related("room").annotate(unread=UNREAD_COUNT)}
    others = Membership.objects.filter(room__in=mine).exclude(user=user).select_related("user")
    chats = [_chat(user, row.user, mine[row.room_id].room, mine[row.room_id].unread) for row in others]
    return sorted(chats, key=lambda chat: (chat.contact.name.casefold(), chat.contact.username))


def get_chat(slug: str, user: "User") -> Chat:
    """Return the user's conversation with this slug. Raises RoomNotFound."""
    for chat in list_chats(user, slug):
        return chat
    raise RoomNotFound


def get_usernames(*, slug: str, user: "User") -> dict[int, str]:
    """Return the usernames of the two people in the user's conversation with this slug, by user id.

    Raises:
        RoomNotFound: The user is in no conversation with this slug.
    """
    room = Room.objects.joined_by(user).named(slug).filter(kind=Room.Kind.DIRECT).first()
    if room is None:
        raise RoomNotFound
    return dict(room.members.values_list("pk", "username"))


def _chat(user: "User", other: "User", room: Room, unread: int) -> Chat:
    return Chat(
        id=room.slug,
        participants=sorted((user.username, other.username)),
        contact=Contact(username=other.username, name=other.name, guest=other.is_guest, chat=room.slug),
        unread=unread,
        head=room.head,
    )
