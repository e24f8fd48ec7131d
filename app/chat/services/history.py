"""What has been said and changed, for those who come, come back, or scroll up."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, QuerySet

from chat import events, limits
from chat.models import Epoch, Membership, Message, Room
from chat.services.errors import ChatError, RoomNotFound
from chat.services.rooms import UNREAD, get_joined_room, get_room_title

if TYPE_CHECKING:
    from accounts.models import User


class Page(NamedTuple):
    """Messages, oldest first; `more` says whether there are others in the direction asked for."""

    events: list[events.Event]
    more: bool


class SnapshotRequest(NamedTuple):
    """A wish to see a room: from the (epoch, seq) on that one has, or else the newest `limit` messages."""

    slug: str
    user: "User"
    since: tuple[str, int] | None
    limit: int


class RoomSnapshot(NamedTuple):
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
    role: str
    events: list[events.Event]


def load_snapshots(requests: Sequence[SnapshotRequest]) -> list[RoomSnapshot | RoomNotFound]:
    """What each request finds; RoomNotFound for those who are not in the room.

    A room is read once for all requests that want the same part of it.
    """
    epoch = current_epoch()
    # Everything read after this is at least as new as these rooms' heads; what is newer is left to their streams.
    joined = Membership.objects.filter(
        user__in={request.user.pk for request in requests},
        room__slug__in={request.slug for request in requests},
        state=Membership.State.JOINED,
    )
    mine = {(row.user_id, row.room.slug): row for row in joined.select_related("room").annotate(unread=UNREAD)}
    together = Membership.objects.filter(room__in={row.room_id for row in mine.values()}, state=Membership.State.JOINED)
    members = dict(together.order_by().values_list("room").annotate(Count("pk")))
    seen: dict[tuple[int, int, int], tuple[bool, Page]] = {}

    def snapshot(request: SnapshotRequest) -> RoomSnapshot | RoomNotFound:
        if (membership := mine.get((request.user.pk, request.slug))) is None:
            return RoomNotFound()
        room = membership.room
        has = request.since[1] if request.since and request.since[0] == epoch else -1
        want = (room.pk, has, request.limit)
        if want not in seen:
            seen[want] = _view(room, has, request.limit)
        recovered, found = seen[want]
        return RoomSnapshot(
            epoch=epoch,
            head=room.head,
            floor=room.floor,
            recovered=recovered,
            info=events.info_of(room, get_room_title(room, request.user)),
            read=membership.read_seq,
            unread=membership.unread,
            more=found.more,
            role=membership.role,
            members=members.get(room.pk, 0),  # the last one may have left a moment ago
            events=found.events,
        )

    return [snapshot(request) for request in requests]


def _view(room: Room, has: int, limit: int) -> tuple[bool, Page]:
    """Every change since `has`, and True; or False and the newest messages when that cannot be told."""
    if room.floor <= has <= room.head <= has + limits.RESUME:
        return True, Page(load_changes(room, has, room.head), more=False)
    found, more = _page(room.messages.filter(seq__gt=room.floor, rev__lte=room.head).order_by("-seq"), limit)
    return False, Page(found[::-1], more)


def load_page(*, slug: str, user: "User", before: int | None = None, after: int | None = None, limit: int) -> Page:
    """Messages with a seq below `before`, or above `after`, or the newest. Raises RoomNotFound, ChatError for both."""
    if before is not None and after is not None:
        raise ChatError("Set either before or after, not both.")
    room = get_joined_room(slug, user)
    kept = room.messages.filter(seq__gt=room.floor)
    if after is not None:
        return _page(kept.filter(seq__gt=after).order_by("seq"), limit)
    found, more = _page(kept.filter(seq__lt=room.head + 1 if before is None else before).order_by("-seq"), limit)
    return Page(found[::-1], more)


def _page(messages: QuerySet[Message], limit: int) -> Page:
    rows = list(messages.select_related("room", "author")[: limit + 1])
    return Page([events.of_message(row) for row in rows[:limit]], len(rows) > limit)


def load_changes(room: Room, since: int, upto: int) -> list[events.Event]:
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


def load_missed_changes(room: int, since: int, upto: int) -> list[events.Event] | None:
    """The changes of a room, as `load_changes`; None where they are too many, or no longer all kept."""
    found = Room.objects.get(pk=room)
    if upto - since > limits.RESUME or since < found.floor:
        return None
    return load_changes(found, since, upto)


def load_heads(rooms: Collection[int]) -> tuple[str, dict[int, int]]:
    """The site's epoch, and the head of each of these rooms."""
    return current_epoch(), dict(Room.objects.filter(pk__in=rooms).values_list("pk", "head"))


def current_position(slug: str) -> tuple[str, int]:
    """Epoch and seq up to which everything is known to who comes now; a room that is not there yet begins at 0."""
    return current_epoch(), Room.objects.named(slug).values_list("head", flat=True).first() or 0


def current_epoch() -> str:
    return str(Epoch.objects.get_or_create(pk=1)[0].value)
