"""What every worker has to know of a run; the master sends it to the workers."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from loadtest.load.project_socket import ProjectSocket

MAX_SOCKETS_PER_USER = 10  # what a site lets one user open
STEADY, USER_JOURNEY = "steady", "user_journey"  # behaviours


class BadPlan(Exception):
    """The run makes no sense as it was asked for. The text says why, and what would."""


@dataclass(frozen=True)
class Plan:
    """Rooms, sockets and how they behave. Each socket is in `rooms_each` rooms and sends to them in turn.

    Attributes:
        scenario: its name.
        url: of the site, https://chat.example.org.
        key: of this run; its messages are recognized by it.
        rooms: names of the rooms.
        sockets: their number.
        rooms_each: rooms of one socket.
        rate: messages a second and room.
        seconds: of talk.
        characters: of a message.
        connect_rate: sockets that connect a second.
        limit: messages a second that one socket may send; the site's own limit is a little higher.
        behaviour: STEADY or USER_JOURNEY.
        verify: check the site's certificate.
        cookies: sessions made beforehand, used in turn; empty if each user signs in.
        delivery_timeout: seconds for the last messages of a phase to arrive.
        senders: sockets that send, the first ones; 0: all of them.
        project: the socket of a project of which only a handshake and a message are known.
    """

    scenario: str
    url: str
    key: str
    rooms: list[str]
    sockets: int
    rooms_each: int = 1
    rate: float = 0.0
    seconds: float = 60.0
    characters: int = 120
    connect_rate: float = 100.0
    limit: float = 8.0
    behaviour: str = STEADY
    verify: bool = True
    cookies: list[str] = field(default_factory=list, repr=False)
    delivery_timeout: float = 30.0
    senders: int = 0
    project: ProjectSocket | None = field(default=None, repr=False)

    @property
    def members(self) -> float:
        """Sockets in a room, on average."""
        return self.sockets * self.rooms_each / len(self.rooms)

    @property
    def total_rate(self) -> float:
        """Messages a second, of all rooms together."""
        return self.rate * len(self.rooms)

    @property
    def sender_count(self) -> int:
        """How many sockets send."""
        return self.senders or self.sockets

    def rooms_of(self, user: int) -> list[str]:
        """Return the rooms of a user. Neighbours share as few as possible, so each room is spread over all workers."""
        first = user * self.rooms_each
        return [self.rooms[(first + step) % len(self.rooms)] for step in range(self.rooms_each)]

    def validate(self) -> Self:
        """Return the plan itself.

        Raises:
            BadPlan: it makes no sense.
        """
        if self.sockets < 1 or not self.rooms:
            raise BadPlan("There must be at least one room and one socket.")
        if self.rooms_each > len(self.rooms):
            raise BadPlan(f"A socket cannot be in {self.rooms_each} of {len(self.rooms)} rooms.")
        if (each := self.total_rate / self.sender_count) > self.limit:
            raise BadPlan(
                f"{self.total_rate:g} messages a second from {self.sender_count} sockets are {each:.1f} for each, and "
                f"a socket may send {self.limit:g} (--limit): take a lower --rate or more --members."
            )
        if self.cookies and self.sockets > MAX_SOCKETS_PER_USER * len(self.cookies):
            raise BadPlan(
                f"{self.sockets} sockets are too many for {len(self.cookies)} sessions: a user may open "
                f"{MAX_SOCKETS_PER_USER}. Make more users with manage.py load_people."
            )
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the fields, for `from_json` of another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Plan":
        """Return the plan with these fields."""
        project = fields.get("project")
        return cls(**{**fields, "project": ProjectSocket(**project) if project else None})


@dataclass(frozen=True)
class Phase:
    """A part of a run.

    Attributes:
        name: as in the report.
        seconds: its length.
        rate: messages a second, of all rooms together.
        storm: all sockets lose their connection at its beginning, and connect again at once.
        counts: its figures are part of the result; those of a warm-up are not.
        starts: nanoseconds of the run's clock; set by the director.
    """

    name: str
    seconds: float
    rate: float = 0.0
    storm: bool = False
    counts: bool = True
    starts: int = 0

    def send_times(self, user: int, users: int) -> "list[int] | range":
        """Return when this user sends, in nanoseconds: fixed beforehand, and evenly spread over all users."""
        if not self.rate:
            return []
        total = int(self.seconds * self.rate)
        step = 1e9 / self.rate
        return [self.starts + round(number * step) for number in range(user, total, users)]
