"""What the chat's sockets share in a process, and what channels_realtime asks of the chat: its streams are rooms."""

from collections.abc import Collection, Sequence

from msgspec import UNSET

from accounts.models import User
from accounts.sessions import get_session_users
from channels_realtime.database import Batch, run_query
from channels_realtime.presence import StreamPresence
from channels_realtime.stream import Event
from chat import events
from chat.services import history
from chat.services.history import RoomSnapshot, SnapshotRequest
from chat.services.messages import Post, Posted, post_messages

MAX_BATCH_SIZE = 200  # posts, snapshots or sessions in one database call: some 20 ms
# Session lookups wait this long, so that simultaneous logins share a query. While a database thread and the event loop
# are both at work they take Python's lock from each other, which costs a third of a login.
LOOKUP_BATCH_WINDOW_SECONDS = 0.005


class ChatApplication:
    """Implements channels_realtime.process.Application.

    The stream of a room is named by Room.stream, its label is the slug.
    """

    def __init__(self) -> None:
        # Posts that arrive together share a transaction, and none is acknowledged before its commit.
        self.posts: Batch[Post, Posted] = Batch(lambda posts: run_query(post_messages, posts), max_size=MAX_BATCH_SIZE)
        self.snapshots: Batch[SnapshotRequest, RoomSnapshot] = Batch(
            lambda requests: run_query(history.load_snapshots, requests), max_size=MAX_BATCH_SIZE
        )
        self._users: Batch[str, User | None] = Batch(
            lambda sessions: run_query(get_session_users, sessions), max_size=MAX_BATCH_SIZE
        )

    async def find_user(self, session: str) -> User | None:
        """Return the user of a session, or None if it has ended. Simultaneous calls share a query."""
        return await self._users.submit(session, wait=LOOKUP_BATCH_WINDOW_SECONDS)

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        """Return the site's epoch and the head of each room: see channels_realtime.hub.Source."""
        stream_by_room = {_room_id(stream): stream for stream in streams}
        epoch, heads = await run_query(history.load_heads, stream_by_room)
        return epoch, {stream_by_room[room]: head for room, head in heads.items()}

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        """Return the changes of a room above `seq` up to `head`: see channels_realtime.hub.Source."""
        found = await run_query(history.load_missed_changes, _room_id(stream), seq, head)
        return None if found is None else [Event(event.seq, event.text, event.removed_member) for event in found]

    def load_user_keys(self, sessions: Sequence[str]) -> list[int | None]:
        """Return the id of the user of each session: see channels_realtime.process.Application."""
        return [user.pk if user else None for user in get_session_users(sessions)]

    def presence_message(self, label: str, presence: StreamPresence) -> str:
        """Return the `presence` frame of parley.v1."""
        return events.Ephemeral(
            room=label,
            kind="presence",
            here=presence.total,
            online=UNSET if presence.online is None else presence.online,
            idle=UNSET if presence.idle is None else presence.idle,
        ).text


def _room_id(stream: str) -> int:
    return int(stream.removeprefix("room."))
