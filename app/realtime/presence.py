"""Who is where, and who of them does something. Redis knows it of all processes, each of which tells its own part.

Nothing is kept: every BEAT a process says again whom it has, and what nobody has said again is over. So a process that
is killed is noticed by its silence, and one that cannot reach Redis tells its members nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple

import redis
from django.conf import settings

from realtime import redis_clients
from realtime.delivery import Delivery
from realtime.hub import Hub
from realtime.publisher import EVERYBODY

logger = logging.getLogger(__name__)

ROUND = 5  # seconds between two looks around
BEAT = 2 * ROUND  # seconds after which a process says again whom it has
SILENCE = 3 * BEAT  # seconds after which somebody is gone of whom nobody has spoken
GOING = BEAT + 2  # seconds after which somebody is gone who left one process, unless another one speaks of them
IDLE = 300  # seconds without a command, after which somebody is idle
LISTED = 100  # people that are told by name; of more, only how many
AT_ONCE = 500  # places in one round, and commands in one pipeline: some 10 ms of this process

AWAKE = "parley:awake"  # user -> until when they are not idle, as time.time()


def _here(place: str) -> str:
    """user -> until when they are there, as time.time()."""
    return f"parley:here:{place}"


class Seen(NamedTuple):
    """Who is in a place, by the keys of users; no list where they are more than LISTED."""

    here: int
    online: list[int] | None
    idle: list[int] | None


class Presence:
    """Of one process: tells Redis, and the members of its hub's streams."""

    def __init__(self, hub: Hub, frames: Callable[[Mapping[str, Seen]], Mapping[str, str]]) -> None:
        """`frames`: what is told to the members of each stream of which something new was seen."""
        self._hub = hub
        self._frames = frames
        self._redis = redis_clients.connect_async() if settings.REDIS_URL else None
        self._told: dict[str, set[int]] = {}  # to Redis, for each place
        self._beat_at = 0.0  # when Redis was told of everybody, by the loop's clock
        self._shown: dict[str, tuple[Seen, Delivery, int]] = {}  # to whose members, and how many had come by then
        self._next = 0  # the place to begin with
        self._task = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(ROUND)
            try:
                await self._round()
            except (redis.RedisError, OSError):
                self._beat_at = 0.0  # it may have forgotten everybody
            except Exception:  # of one round; without this nobody would be told of anybody again
                logger.exception("Nobody was told who is there")
                self._beat_at = 0.0

    async def _round(self) -> None:
        here = {name: {member.key for member in members} for name, members in self._hub.places()}
        await self._tell({**here, EVERYBODY: self._hub.people.keys()})
        places = list(here)
        if self._next >= len(places):
            self._next = 0
        some = places[self._next : self._next + AT_ONCE]
        self._next += AT_ONCE
        self._show(await self._look(some, here))
        self._shown = {place: shown for place, shown in self._shown.items() if place in here}

    # --- to Redis

    async def _tell(self, here: Mapping[str, set[int]]) -> None:
        if self._redis is None:
            return
        now, clock = time.time(), asyncio.get_running_loop().time()
        all_of_them = clock - self._beat_at >= BEAT - ROUND / 2
        commands: list[tuple[Any, ...]] = []
        for place in here.keys() | self._told.keys():
            known, there = self._told.get(place, set()), here.get(place, set())
            if coming := there if all_of_them else there - known:
                commands.append(("ZADD", _here(place), *_scores(coming, now + SILENCE)))
                commands.append(("EXPIRE", _here(place), 2 * SILENCE))
            if going := known - there:
                commands.append(("ZADD", _here(place), "XX", "LT", *_scores(going, now + GOING)))
        active = self._hub.people.active()
        if awake := {user: now + IDLE - (clock - since) for user, since in active.items() if clock - since < IDLE}:
            pairs = (part for user, until in awake.items() for part in (until, user))
            commands.append(("ZADD", AWAKE, "GT", *pairs))
        await self._ask(commands)
        self._told = {place: set(users) for place, users in here.items()}
        if all_of_them:
            self._beat_at = clock

    async def _ask(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        assert self._redis is not None
        answers: list[Any] = []
        rest = iter(commands)
        while some := list(islice(rest, AT_ONCE)):
            pipe = self._redis.pipeline(transaction=False)
            for command in some:
                pipe.execute_command(*command)
            answers += await pipe.execute()
        return answers

    # --- from Redis, to members

    async def _look(self, places: Collection[str], here: Mapping[str, set[int]]) -> dict[str, Seen]:
        if self._redis is None:
            idle = self._idle_here()
            return {place: _seen(here[place], idle) for place in places}
        now = time.time()
        commands: list[tuple[Any, ...]] = []
        for place in places:
            commands.append(("ZREMRANGEBYSCORE", _here(place), "-inf", now))
            commands.append(("ZCARD", _here(place)))
            commands.append(("ZRANGE", _here(place), 0, LISTED))
        answers = await self._ask(commands)
        counts = dict(zip(places, answers[1::3], strict=True))
        users = {place: {int(user) for user in some} for place, some in zip(places, answers[2::3], strict=True)}
        named = {user for place in places if counts[place] <= LISTED for user in users[place]}
        idle = named - await self._awake(named, now)
        return {place: _seen(users[place], idle, counts[place]) for place in places}

    async def _awake(self, users: Collection[int], now: float) -> set[int]:
        asked = list(users)
        parts = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
        answers = await self._ask([("ZREMRANGEBYSCORE", AWAKE, "-inf", now), *(("ZMSCORE", AWAKE, *p) for p in parts)])
        scores = [score for part in answers[1:] for score in part]
        return {user for user, score in zip(asked, scores, strict=True) if score is not None}

    def _idle_here(self) -> set[int]:
        clock = asyncio.get_running_loop().time()
        return {user for user, since in self._hub.people.active().items() if clock - since >= IDLE}

    def _show(self, seen: Mapping[str, Seen]) -> None:
        deliveries = {place: delivery for place in seen if (delivery := self._hub.delivery(place))}
        now = {place: (seen[place], delivery, delivery.comings) for place, delivery in deliveries.items()}
        news = {place: seen[place] for place, shown in now.items() if self._shown.get(place) != shown}
        for place, text in self._frames(news).items():
            self._shown[place] = now[place]
            deliveries[place].whisper(text)

    async def close(self) -> None:
        self._task.cancel()
        if self._redis is not None:
            await self._redis.aclose()


def online(users: Collection[int]) -> dict[int, Literal["online", "idle"]]:
    """Who of these users is connected anywhere; empty while Redis cannot say."""
    if not users or not settings.REDIS_URL:
        return {}
    now = time.time()
    try:
        with redis_clients.connect() as client:
            there = client.zmscore(_here(EVERYBODY), [str(user) for user in users])
            awake = client.zmscore(AWAKE, [str(user) for user in users])
    except (redis.RedisError, OSError):
        return {}
    found = zip(users, there, awake, strict=True)
    return {user: "online" if (w or 0) > now else "idle" for user, until, w in found if (until or 0) > now}


def _scores(users: Iterable[int], until: float) -> Iterable[Any]:
    return (part for user in users for part in (until, user))


def _seen(users: Collection[int], idle: Collection[int], here: int | None = None) -> Seen:
    here = len(users) if here is None else here
    if here > LISTED:
        return Seen(here, None, None)
    return Seen(here, sorted(users), sorted(user for user in users if user in idle))
