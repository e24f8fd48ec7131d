"""Reading a room: a snapshot for joining and resuming, pages of messages, and the changes that were missed."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, QuerySet

from chat import events, limits
from chat.models import Epoch, Membership, Message, Room
from chat.services.errors import ChatError, RoomNotFound
from chat.services.rooms import UNREAD_COUNT, get_joined_room, get_room_title

if TYPE_CHECKING:
    from accounts.models import User


class Page(NamedTuple):
    """Messages, the oldest first; `more` says whether there are others in the requested direction."""

    events: list[events.Event]
    more: bool


class SnapshotRequest(NamedTuple):
    """Asks for a room: the changes after `since`, an (epoch, seq), or else the newest `limit` messages."""

    slug: str
    user: "User"
    since: tuple[str, int] | None
    limit: int


class RoomSnapshot(NamedTuple):
    """A room as one of its members sees it, complete up to and including the change `head`."""

    epoch: str
    head: int
    floor: int
    recovered: bool  # `events` are all changes since the request's `since`; else they are the newest page
    info: events.RoomInfo
    read: int
    unread: int
    more: bool
    members: int
    role: str
    events: list[events.Event]


def load_snapshots(requests: Sequence[SnapshotRequest]) -> list[RoomSnapshot | RoomNotFound]:
    """Return what each request asks for, or RoomNotFound when its user is not in the room.

    A room is read once for all requests that want the same part of it.
    """
    epoch = current_epoch()
    # Everything that is read after this is at least as new as the heads of these rooms. Newer changes are left to the
    # rooms' streams.
    joined = Membership.objects.filter(
        user__in={request.user.pk for request in requests},
        room__slug__in={request.slug for request in requests},
        state=Membership.State.JOINED,
    )
    memberships = {
        (row.user_id, row.room.slug): row for row in joined.select_related("room").annotate(unread=UNREAD_COUNT)
    }
    member_counts = _count_members({row.room_id for row in memberships.values()})
    loaded: dict[tuple[int, int, int], tuple[bool, Page]] = {}

    def snapshot(request: SnapshotRequest) -> RoomSnapshot | RoomNotFound:
        if (membership := memberships.get((request.user.pk, request.slug))) is None:
            return RoomNotFound()
        room = membership.room
        known_seq = request.since[1] if request.since and request.since[0] == epoch else -1
        part = (room.pk, known_seq, request.limit)
        if part not in loaded:
            loaded[part] = _load_part(room, known_seq, request.limit)
        recovered, page = loaded[part]
        return RoomSnapshot(
            epoch=epoch,
            head=room.head,
            floor=room.floor,
            recovered=recovered,
            info=events.info_of(room, get_room_title(room, request.user)),
            read=membership.read_seq,
            unread=membership.unread,
            more=page.more,
            role=membership.role,
            members=member_counts.get(room.pk, 0),  # the last member may have left since the first query
            events=page.events,
        )

    return [snapshot(request) for request in requests]


def _count_members(rooms: Collection[int]) -> dict[int, int]:
    joined = Membership.objects.filter(room__in=rooms, state=Membership.State.JOINED)
    return dict(joined.order_by().values_list("room").annotate(Count("pk")))


def _load_part(room: Room, known_seq: int, limit: int) -> tuple[bool, Page]:
    """Return True and every change after `known_seq`; or False and the newest messages when that is impossible."""
    if room.floor <= known_seq <= room.head <= known_seq + limits.RESUME:
        return True, Page(load_changes(room, known_seq, room.head), more=False)
    newest, more = _page(room.messages.filter(seq__gt=room.floor, rev__lte=room.head).order_by("-seq"), limit)
    return False, Page(newest[::-1], more)


def load_page(*, slug: str, user: "User", before: int | None = None, after: int | None = None, limit: int) -> Page:
    """Return up to `limit` messages with a seq below `before`, or above `after`, or the newest.

    Raises:
        RoomNotFound: The user is not in the room.
        ChatError: Both `before` and `after` are given.
    """
    if before is not None and after is not None:
        raise ChatError("Set either before or after, not both.")
    room = get_joined_room(slug, user)
    kept = room.messages.filter(seq__gt=room.floor)
    if after is not None:
        return _page(kept.filter(seq__gt=after).order_by("seq"), limit)
    newest, more = _page(kept.filter(seq__lt=room.head + 1 if before is None else before).order_by("-seq"), limit)
    return Page(newest[::-1], more)


def _page(messages: QuerySet[Message], limit: int) -> Page:
    rows = list(messages.select_related("room", "author")[: limit + 1])
    return Page([events.of_message(row) for row in rows[:limit]], len(rows) > limit)


def load_changes(room: Room, since: int, upto: int) -> list[events.Event]:
    """Return the changes of a room after `since`, up to and including `upto`, in their order.

    A message or membership that changed several times has one event, at its last change, which includes the others.
    One that changed again after `upto` is left out.
    """
    span = {"rev__gt": since, "rev__lte": upto}
    messages = room.messages.filter(**span).select_related("room", "author")
    memberships = room.memberships.filter(**span).select_related("room", "user")
    found = [events.of_message(row) for row in messages] + [events.of_member(row) for row in memberships]
    if since < room.rev <= upto:
        found.append(events.of_room(room))
    return sorted(found, key=lambda event: event.seq)


def load_missed_changes(room: int, since: int, upto: int) -> list[events.Event] | None:
    """Return what load_changes does; None when the changes are too many, or some are not kept any more."""
    found = Room.objects.get(pk=room)
    if upto - since > limits.RESUME or since < found.floor:
        return None
    return load_changes(found, since, upto)


def load_heads(rooms: Collection[int]) -> tuple[str, dict[int, int]]:
    """Return the site's epoch, and the head of each of these rooms by room id."""
    return current_epoch(), dict(Room.objects.filter(pk__in=rooms).values_list("pk", "head"))


def current_position(slug: str) -> tuple[str, int]:
    """Return the epoch and the head of a room; a room that does not exist yet has the head 0."""
    return current_epoch(), Room.objects.named(slug).values_list("head", flat=True).first() or 0


def current_epoch() -> str:
    """Return the site's epoch, which is created at the first call."""
    return str(Epoch.objects.get_or_create(pk=1)[0].value)
