"""What the site's administrators do in rooms, as members or not. A room's own moderators use members.py."""

from django.db import transaction

from channels_realtime.publisher import publish_events
from chat import events
from chat.models import Membership, Message, Room
from chat.services.memberships import remove_member
from chat.services.messages import soft_delete
from chat.services.rooms import check_description


@transaction.atomic
def update_room(room: Room) -> None:
    """Store the title, topic and limits that this object has, and publish them. Raises BadName."""
    check_description(room)
    room.rev = room.advance()
    room.save(update_fields=["title", "topic", "body_chars", "max_messages", "rev"])
    publish_events(room.stream, [events.of_room(room)])


@transaction.atomic
def moderator_delete(message: int) -> bool:
    """Soft-delete a message of any author.

    Returns:
        False when it was deleted before.

    Raises:
        Message.DoesNotExist: There is no such message.
    """
    found = Message.objects.select_related("room", "author").get(pk=message)
    if found.deleted_at is not None:
        return False
    soft_delete(found)
    return True


@transaction.atomic
def end_membership(membership: Membership, state: str) -> None:
    """End a membership with this state, also an owner's: then the next owner gets the room."""
    remove_member(membership.room, membership.user, state)
