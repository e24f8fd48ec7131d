"""What every worker has to know of a run; the master sends it to them as JSON."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any


class BadPlan(Exception):
    """The run makes no sense as asked for; the text says why, and what would."""


@dataclass(frozen=True)
class Plan:
    """Rooms, sockets and how they behave. Socket u is in `rooms_each` rooms and speaks in them in turn."""

    scenario: str
    url: str  # of the site: https://chat.example.org
    key: str  # of this run: its messages are known by it
    rooms: list[str]
    sockets: int
    rooms_each: int = 1
    rate: float = 0.0  # messages a second and room
    seconds: float = 60.0  # of talk
    characters: int = 120  # of a message
    connect_rate: float = 100.0  # sockets a second that come in
    limit: float = 8.0  # messages a second that one socket may send: the site's own limit is a little above
    behaviour: str = "steady"  # or "day"
    verify: bool = True  # the site's certificate
    cookies: list[str] = field(default_factory=list, repr=False)  # of people made ahead, handed round
    stop_after: float = 30.0  # seconds for what was said to arrive

    @property
    def members(self) -> float:
        """Sockets in a room, on average."""
        return self.sockets * self.rooms_each / len(self.rooms)

    @property
    def rate_of_all(self) -> float:
        return self.rate * len(self.rooms)

    def rooms_of(self, user: int) -> list[str]:
        """Neighbours share as few rooms as possible, so that a room's members are on all workers."""
        first = user * self.rooms_each
        return [self.rooms[(first + step) % len(self.rooms)] for step in range(self.rooms_each)]

    def checked(self) -> "Plan":
        """Raises BadPlan."""
        if self.sockets < 1 or not self.rooms:
            raise BadPlan("There must be at least one room and one socket.")
        if self.rooms_each > len(self.rooms):
            raise BadPlan(f"A socket cannot be in {self.rooms_each} of {len(self.rooms)} rooms.")
        if (each := self.rate_of_all / self.sockets) > self.limit:
            raise BadPlan(
                f"{self.rate_of_all:g} messages a second from {self.sockets} sockets are {each:.1f} for each, and a "
                f"socket may send {self.limit:g} (--limit): take a lower --rate or more --members."
            )
        if self.cookies and self.sockets > 10 * len(self.cookies):
            raise BadPlan(
                f"{self.sockets} sockets are too many for {len(self.cookies)} people: a person may open ten. "
                "Make more (manage.py load_people)."
            )
        return self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Plan":
        return cls(**fields)

    def talking(self, rate: float) -> "Plan":
        return replace(self, rate=rate)


@dataclass(frozen=True)
class Phase:
    """A part of a run in which one thing is true. Rates are messages a second, of all rooms together."""

    name: str
    seconds: float
    rate: float = 0.0
    storm: bool = False  # all sockets drop at its beginning, and come back at once
    counts: bool = True  # its figures stand in the result; a warm-up's do not
    starts: int = 0  # by the run's clock; set by the director

    def due(self, user: int, users: int) -> "list[int] | range":
        """When this user speaks: the moments are fixed beforehand, evenly spread over all users. Nanoseconds."""
        if not self.rate:
            return []
        total = int(self.seconds * self.rate)
        step = 1e9 / self.rate
        return [self.starts + round(number * step) for number in range(user, total, users)]
