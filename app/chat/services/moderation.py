"""What the site's administrators do in rooms, whether they are in them or not. Who governs a room: members.py."""

from django.db import transaction

from chat import events
from chat.models import Membership, Message, Room
from chat.services.messages import bury
from chat.services.rooms import check_description
from chat.services.standing import put_out
from realtime.publisher import publish_events


@transaction.atomic
def describe(room: Room) -> None:
    """Store the title, topic and profile that this object has. Raises BadName."""
    check_description(room)
    room.rev = room.advance()
    room.save(update_fields=["title", "topic", "body_chars", "keep", "rev"])
    publish_events(room.stream, [events.of_room(room)])


@transaction.atomic
def take_back(message: int) -> bool:
    """Leave a tombstone without words in its place. False when it was one already. Raises Message.DoesNotExist."""
    found = Message.objects.select_related("room", "author").get(pk=message)
    if found.deleted_at is not None:
        return False
    bury(found)
    return True


@transaction.atomic
def put_somebody_out(membership: Membership, state: str) -> None:
    """End a membership in this state, its owner's too: the room then passes to whoever is next."""
    put_out(membership.room, membership.user, state)
