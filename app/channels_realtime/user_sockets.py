"""The sockets of each user in this process, so that a user can be reached in whichever rooms they are."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import Protocol

from .frames import Frame
from .publisher import UserAnnouncement


class UserSocket(Protocol):
    """A socket whose user is known."""

    key: int  # of the user
    active_at: float  # when the user last sent a command on it, by the loop's clock

    def send_droppable(self, frame: Frame) -> None:
        """Send an ephemeral frame, or drop it."""

    def recheck_session(self) -> None:
        """Find out whether the user is still signed in."""


class UserSockets:
    """All sockets of this process whose user is known."""

    def __init__(self) -> None:
        self._sockets: defaultdict[int, set[UserSocket]] = defaultdict(set)

    def add(self, socket: UserSocket) -> None:
        """Add a socket under its key."""
        self._sockets[socket.key].add(socket)

    def remove(self, socket: UserSocket) -> None:
        """Remove a socket that was added."""
        sockets = self._sockets[socket.key]
        sockets.discard(socket)
        if not sockets:
            del self._sockets[socket.key]

    def sockets_of(self, key: int) -> AbstractSet[UserSocket]:
        """Return the sockets of this user here."""
        return self._sockets.get(key, frozenset())

    def keys(self) -> set[int]:
        """Return the keys of all users who are connected here."""
        return set(self._sockets)

    def active_at(self) -> dict[int, float]:
        """Return when each user last sent a command here, by the loop's clock."""
        return {key: max(socket.active_at for socket in sockets) for key, sockets in self._sockets.items()}

    def dispatch(self, announcement: UserAnnouncement) -> None:
        """Give an announcement of channels_realtime.publisher.notify_user to the sockets of its user."""
        text = announcement["text"]
        frame = None if text is None else Frame(text)
        for socket in list(self.sockets_of(announcement["key"])):
            if frame is None:
                socket.recheck_session()
            else:
                socket.send_droppable(frame)
