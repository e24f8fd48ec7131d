"""The sockets of each user on this process, to be reached by who they are and not by where they are."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from realtime.frames import Frame


class Person(Protocol):
    """A socket whose user is known."""

    key: int  # the user's
    active: float  # when they last did something, by the loop's clock

    def whisper(self, frame: Frame) -> None:
        """Send this, or drop it."""

    def doubt(self) -> None:
        """See whether your user is still signed in."""


class People:
    """Everybody who is connected here."""

    def __init__(self) -> None:
        self._sockets: defaultdict[int, set[Person]] = defaultdict(set)

    def come(self, person: Person) -> None:
        self._sockets[person.key].add(person)

    def go(self, person: Person) -> None:
        mine = self._sockets[person.key]
        mine.discard(person)
        if not mine:
            del self._sockets[person.key]

    def sockets_of(self, key: int) -> AbstractSet[Person]:
        return self._sockets.get(key, frozenset())

    def keys(self) -> set[int]:
        return set(self._sockets)

    def active(self) -> dict[int, float]:
        """When each user last did something here, by the loop's clock."""
        return {key: max(socket.active for socket in sockets) for key, sockets in self._sockets.items()}

    def hear(self, call: dict[str, Any]) -> None:
        """Take a call: see realtime.publisher.call."""
        frame = None if call["text"] is None else Frame(call["text"])
        for person in list(self.sockets_of(call["key"])):
            if frame is None:
                person.doubt()
            else:
                person.whisper(frame)
