"""A user's day: read, type, post, change rooms, go away and come back; drawn before it begins.

The moments do not depend on how quick the site is. Who is on the way to another room at such a moment does it on
arriving: nobody types into a page that is not there yet. How long that took stands under `page` and `handshake`.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gevent

from loadtest.connection import Ended
from loadtest.oracle import Track
from loadtest.parley_browser import Browser
from loadtest.parley_protocol import command
from loadtest.plan import Phase, Plan

if TYPE_CHECKING:
    from loadtest.parley_user import ParleyUser

READ_EVERY, CHANGE_EVERY, LEAVE_EVERY = 8.0, 25.0, 45.0  # seconds, on average
AWAY = 5.0  # seconds at most
TYPING = 1.5  # seconds before a message
NEW_GUESTS = 30  # a minute, of all users: a site lets no more sign in from one address


def drawn(plan: Plan, phase: Phase, number: int) -> list[tuple[float, str]]:
    """What one user will do in a phase, by seconds from its beginning. The same for the same run and number."""
    dice = random.Random(f"{plan.key}/{number}/{phase.name}")  # noqa: S311

    def moments(every: float) -> Iterator[float]:
        at = dice.expovariate(1 / every)
        while at < phase.seconds:
            yield at
            at += dice.expovariate(1 / every)

    posts = list(moments(plan.sockets / phase.rate)) if phase.rate else []
    deeds = [(at, "post") for at in posts] + [(max(0.0, at - TYPING), "type") for at in posts]
    for name, every in (("read", READ_EVERY), ("change", CHANGE_EVERY), ("leave", LEAVE_EVERY)):
        deeds += [(at, name) for at in moments(every)]
    return sorted(deeds)


def live(user: "ParleyUser", phase: Phase) -> None:
    """Until the phase is over; the user is in a room afterwards."""
    dice = random.Random(f"{user.plan.key}/{user.number}")  # noqa: S311
    arrived = phase.starts
    for at, what in drawn(user.plan, phase, user.number):
        moment = phase.starts + int(at * 1e9)
        user.worker.sleep_until(moment)
        if what == "post":
            user.post(max(moment, arrived))
        elif what in ("type", "read"):
            small_sign(user, what)
        else:
            move(user, dice, away=what == "leave")
            arrived = user.worker.clock.now()


def small_sign(user: "ParleyUser", what: str) -> None:
    """Typing, or how far one has read. Its answer is of no interest."""
    room = user.rooms[0]
    track = user.tracks.get(room)
    if not user.is_in or not isinstance(track, Track):
        return
    try:
        if what == "type":
            user.send(command("typing", user.next_id(), room=room, on=True))
        else:
            user.send(command("read", user.next_id(), room=room, seq=track.due - 1))
    except Ended:
        return  # the line broke; coming back is under way


def move(user: "ParleyUser", dice: random.Random, *, away: bool) -> None:
    """To another room, as a page does it: a new page and a new socket. Or away, and back after a while."""
    if not user.is_in:
        return
    user.go_home()
    if away:
        gevent.sleep(dice.uniform(0, AWAY))
        if dice.random() < NEW_GUESTS / max(60, user.plan.sockets):
            user.session = ""
    user.rooms = [dice.choice(user.plan.rooms)]
    browser = Browser(user)
    try:
        if not user.session:
            user.session = browser.sign_in(f"Load {user.number}")
        browser.get(f"/rooms/{user.rooms[0]}/", "room", user.session)
    except Ended as why:
        user.worker.failed[str(why)[:80]] += 1
    user.come_in()
