"""What one person does in a browser: read, type, post, change rooms, leave and return; scheduled beforehand.

The times do not depend on how fast the site is. A user that is still changing rooms when an action is due does it on
arrival: people do not type into a page that is not loaded. How long that took is measured as `page` and `handshake`.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple, Protocol, cast

import gevent
from locust import User

from loadtest.core.bundled_chat_protocol import build_command
from loadtest.core.handshake import ConnectionClosed
from loadtest.core.oracle import DeliveryTracker
from loadtest.load.plan import Phase, Plan
from loadtest.load.users.bundled_chat_browser import Browser, PageFailed
from loadtest.load.worker import Worker

READ_INTERVAL_SECONDS, CHANGE_INTERVAL_SECONDS, LEAVE_INTERVAL_SECONDS = 8.0, 25.0, 45.0  # on average
MAX_AWAY_SECONDS = 5.0
TYPING_SECONDS = 1.5  # before a message
NEW_GUESTS_PER_MINUTE = 30  # of all users: a site lets no more sign in from one address
REASON_CHARACTERS = 80
POST, TYPE, READ, CHANGE, LEAVE = "post", "type", "read", "change", "leave"


class Action(NamedTuple):
    """One action of a user."""

    seconds: float  # from the beginning of the phase
    kind: str


class JourneyUser(Protocol):
    """What a journey has to know of its user."""

    number: int
    rooms: list[str]
    session: str
    is_joined: bool
    trackers: dict[str, DeliveryTracker]

    @property
    def plan(self) -> Plan:
        """The plan of the run."""

    @property
    def worker(self) -> Worker:
        """The part of the run that this process plays."""

    def next_id(self) -> int:
        """Return the id of a command that is not a message."""

    def send(self, payload: bytes) -> None:
        """Send a command. Raises ConnectionClosed."""

    def post(self, due_at: int) -> None:
        """Send a message that was due at this time."""

    def leave(self) -> None:
        """Close the connection for good."""

    def join_until_successful(self) -> None:
        """Connect, and join the rooms."""


def build_schedule(plan: Plan, phase: Phase, number: int) -> list[Action]:
    """Return what one user will do in a phase, in order. It is the same for the same run, phase and number."""
    dice = random.Random(f"{plan.key}/{number}/{phase.name}")  # noqa: S311

    def times(interval: float) -> Iterator[float]:
        at = dice.expovariate(1 / interval)
        while at < phase.seconds:
            yield at
            at += dice.expovariate(1 / interval)

    posts = list(times(plan.sockets / phase.rate)) if phase.rate else []
    actions = [Action(at, POST) for at in posts] + [Action(max(0.0, at - TYPING_SECONDS), TYPE) for at in posts]
    intervals = ((READ, READ_INTERVAL_SECONDS), (CHANGE, CHANGE_INTERVAL_SECONDS), (LEAVE, LEAVE_INTERVAL_SECONDS))
    for kind, interval in intervals:
        actions += [Action(at, kind) for at in times(interval)]
    return sorted(actions)


def run_journey(user: JourneyUser, phase: Phase) -> None:
    """Do what is scheduled until the phase is over; the user is in a room afterwards."""
    dice = random.Random(f"{user.plan.key}/{user.number}")  # noqa: S311
    arrived_at = phase.starts
    for action in build_schedule(user.plan, phase, user.number):
        due_at = phase.starts + int(action.seconds * 1e9)
        user.worker.sleep_until(due_at)
        if action.kind == POST:
            user.post(max(due_at, arrived_at))
        elif action.kind in (TYPE, READ):
            send_hint(user, action.kind)
        else:
            change_room(user, dice, goes_away=action.kind == LEAVE)
            arrived_at = user.worker.clock.now()


def send_hint(user: JourneyUser, kind: str) -> None:
    """Send a typing indicator, or how far the user has read. The answer does not matter."""
    room = user.rooms[0]
    tracker = user.trackers.get(room)
    if not user.is_joined or tracker is None:
        return
    with suppress(ConnectionClosed):  # the reconnect is under way
        if kind == TYPE:
            user.send(build_command("typing", user.next_id(), room=room, on=True))
        else:
            user.send(build_command("read", user.next_id(), room=room, seq=tracker.next_seq - 1))


def change_room(user: JourneyUser, dice: random.Random, *, goes_away: bool) -> None:
    """Go to another room as a browser does, with a new page and a new socket.

    Args:
        user: that goes.
        dice: chooses the room.
        goes_away: stay away for a while, and sometimes return as a new guest.
    """
    if not user.is_joined:
        return
    user.leave()
    if goes_away:
        gevent.sleep(dice.uniform(0, MAX_AWAY_SECONDS))
        if dice.random() < NEW_GUESTS_PER_MINUTE / max(60, user.plan.sockets):
            user.session = ""
    user.rooms = [dice.choice(user.plan.rooms)]
    browser = Browser(cast("User", user), user.worker)
    try:
        if not user.session:
            user.session = browser.sign_in(f"Load {user.number}")
        browser.get(f"/rooms/{user.rooms[0]}/", "room", user.session)
    except PageFailed as error:
        user.worker.counters.failed[str(error)[:REASON_CHARACTERS]] += 1
    user.join_until_successful()
