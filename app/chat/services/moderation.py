"""What the site's administrators do in rooms, whether they are in them or not. Who governs a room: members.py."""

from django.db import transaction

from chat import events
from chat.models import Membership, Message, Room
from chat.services.memberships import remove_member
from chat.services.messages import soft_delete
from chat.services.rooms import check_description
from realtime.publisher import publish_events


@transaction.atomic
def update_room(room: Room) -> None:
    """Store the title, topic and profile that this object has. Raises BadName."""
    check_description(room)
    room.rev = room.advance()
    room.save(update_fields=["title", "topic", "body_chars", "max_messages", "rev"])
    publish_events(room.stream, [events.of_room(room)])


@transaction.atomic
def moderator_delete(message: int) -> bool:
    """Leave a tombstone without words in its place. False when it was one already. Raises Message.DoesNotExist."""
    found = Message.objects.select_related("room", "author").get(pk=message)
    if found.deleted_at is not None:
        return False
    soft_delete(found)
    return True


@transaction.atomic
def end_membership(membership: Membership, state: str) -> None:
    """End a membership in this state, its owner's too: the room then passes to whoever is next."""
    remove_member(membership.room, membership.user, state)
