"""What all sockets of a process share (strictly: of its event loop)."""

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from msgspec import UNSET

from accounts.models import User
from accounts.sessions import get_session_users
from chat import events, limits
from chat.services.history import RoomSnapshot, SnapshotRequest, load_snapshots
from chat.services.messages import Post, Posted, post_messages
from chat.ws.database import query
from chat.ws.sessions import Sessions
from chat.ws.source import RoomSource
from realtime.batch import Batch
from realtime.hub import Hub
from realtime.ping_scheduler import Pulse
from realtime.presence import Presence, Seen

# Seconds that whoever comes waits for others. Not a matter of queries alone: while the database's thread and the
# loop's are both at work they take Python's lock from each other, which costs a third of what a coming costs.
COMPANY = 0.005


class Process:
    """The hub, and what is asked of the database together."""

    def __init__(self) -> None:
        self.streams: dict[str, str] = {}  # of each room that was ever joined here, by its slug; good for one epoch
        self.hub = Hub(RoomSource(self.streams))
        # Group commit: posts that arrive together share a transaction, and none is acked before it. 200: some 20 ms.
        self.posts: Batch[Post, Posted] = Batch(lambda asked: query(post_messages, asked), largest=200)
        self.windows: Batch[SnapshotRequest, RoomSnapshot] = Batch(
            lambda asked: query(load_snapshots, asked), largest=200
        )
        self.users: Batch[str, User | None] = Batch(lambda asked: query(get_session_users, asked), largest=200)
        self.sessions = Sessions()
        self.pulse = Pulse(limits.PING_SECONDS)
        self.presence = Presence(self.hub, self.who_is_there)

    def post(self, post: Post) -> "asyncio.Future[Posted]":
        """Store it; in a busy room together with the others that leave in the same frame."""
        return self.posts.ask(post, wait=self.hub.patience(self.streams.get(post.room, "")))

    def signed_in(self, session: str) -> "asyncio.Future[User | None]":
        """Who has this session, if it is not over; asked together with whoever else comes just now."""
        return self.users.ask(session, wait=COMPANY)

    def who_is_there(self, seen: Mapping[str, Seen]) -> dict[str, str]:
        """Frames for the rooms' members, by stream."""
        slugs = {stream: slug for slug, stream in self.streams.items()}
        return {
            stream: events.Ephemeral(
                room=slugs[stream],
                kind="presence",
                here=one.here,
                online=UNSET if one.online is None else one.online,
                idle=UNSET if one.idle is None else one.idle,
            ).text
            for stream, one in seen.items()
            if stream in slugs
        }


_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()


def this_process() -> Process:
    """The one of the running loop; made when the first socket comes."""
    loop = asyncio.get_running_loop()
    if loop not in _processes:
        _processes[loop] = Process()
    return _processes[loop]


async def end_process() -> None:
    """Stop what the first socket started."""
    if process := _processes.pop(asyncio.get_running_loop(), None):
        process.sessions.close()
        await process.presence.close()
        await process.hub.close()
