"""What has been said and changed, for those who come, come back, or scroll up."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import QuerySet

from chat import events, limits
from chat.models import Epoch, Membership, Message, Room
from chat.services.errors import ChatError
from chat.services.rooms import joined_room, title_for, unread

if TYPE_CHECKING:
    from accounts.models import User


class Page(NamedTuple):
    """Messages, oldest first; `more` says whether there are others in the direction asked for."""

    events: list[events.Event]
    more: bool


class Window(NamedTuple):
    """A room as somebody finds it: complete up to and with change `head`."""

    epoch: str
    head: int
    floor: int
    recovered: bool  # events are every change since; else the newest page
    info: events.RoomInfo
    read: int
    unread: int
    more: bool
    members: int
    events: list[events.Event]


def window(*, slug: str, user: "User", since: tuple[str, int] | None, limit: int) -> Window:
    """Look into a room one is in. `since`: the (epoch, seq) one has; limit: messages, if there is no going on from it.

    Raises RoomNotFound.
    """
    room = joined_room(slug, user)
    epoch = current_epoch()
    # Everything read below is at least as new as this head; what is newer is left to the stream of events.
    head = room.head
    recovered = since is not None and since[0] == epoch and room.floor <= since[1] <= head <= since[1] + limits.RESUME
    if since is not None and recovered:
        found, more = changes(room, since[1], head), False
    else:
        found, more = _page(room.messages.filter(seq__gt=room.floor, rev__lte=head).order_by("-seq"), limit)
        found.reverse()
    mine = Membership.objects.get(room=room, user=user)
    return Window(
        epoch=epoch,
        head=head,
        floor=room.floor,
        recovered=recovered,
        info=events.info_of(room, title_for(room, user)),
        read=mine.read_seq,
        unread=unread(room, user, mine.read_seq),
        more=more,
        members=room.memberships.filter(state=Membership.State.JOINED).count(),
        events=found,
    )


def page(*, slug: str, user: "User", before: int | None = None, after: int | None = None, limit: int) -> Page:
    """Messages with a seq below `before`, or above `after`, or the newest. Raises RoomNotFound, ChatError for both."""
    if before is not None and after is not None:
        raise ChatError("Ask for what is before or after, not for both.")
    room = joined_room(slug, user)
    kept = room.messages.filter(seq__gt=room.floor)
    if after is not None:
        return _page(kept.filter(seq__gt=after).order_by("seq"), limit)
    found, more = _page(kept.filter(seq__lt=room.head + 1 if before is None else before).order_by("-seq"), limit)
    return Page(found[::-1], more)


def _page(messages: QuerySet[Message], limit: int) -> Page:
    rows = list(messages.select_related("room", "author")[: limit + 1])
    return Page([events.of_message(row) for row in rows[:limit]], len(rows) > limit)


def changes(room: Room, since: int, upto: int) -> list[events.Event]:
    """What stands as it was left by a change above `since` up to `upto`, in the order of the changes.

    A row that changed again later is not among them: the later change tells all of it.
    """
    span = {"rev__gt": since, "rev__lte": upto}
    messages = room.messages.filter(**span).select_related("room", "author")
    memberships = room.memberships.filter(**span).select_related("room", "user")
    found = [events.of_message(row) for row in messages] + [events.of_member(row) for row in memberships]
    if since < room.rev <= upto:
        found.append(events.of_room(room))
    return sorted(found, key=lambda event: event.seq)


def missed(room: int, since: int, upto: int) -> list[events.Event] | None:
    """The changes of a room, as `changes`; None where they are too many, or no longer all kept."""
    found = Room.objects.get(pk=room)
    if upto - since > limits.RESUME or since < found.floor:
        return None
    return changes(found, since, upto)


def heads(rooms: Collection[int]) -> tuple[str, dict[int, int]]:
    """The site's epoch, and the head of each of these rooms."""
    return current_epoch(), dict(Room.objects.filter(pk__in=rooms).values_list("pk", "head"))


def current_epoch() -> str:
    return str(Epoch.objects.get_or_create(pk=1)[0].value)
