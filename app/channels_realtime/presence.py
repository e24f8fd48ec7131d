"""Who is online and who is idle, in each stream and anywhere. Redis has it from all processes.

Nothing is stored for good: every REFRESH_INTERVAL_SECONDS each process reports again which users it has, and an entry
that no process refreshes expires. So the users of a process that is killed go offline by themselves, and a process that
cannot reach Redis sends its members nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple

import redis

from . import redis_clients
from .conf import options
from .hub import Hub
from .publisher import ALL_PROCESSES_GROUP
from .stream import Delivery

logger = logging.getLogger(__name__)

POLL_INTERVAL_SECONDS = 5
REFRESH_INTERVAL_SECONDS = 2 * POLL_INTERVAL_SECONDS
EXPIRE_AFTER_SECONDS = 3 * REFRESH_INTERVAL_SECONDS  # without a refresh
LEAVE_GRACE_SECONDS = REFRESH_INTERVAL_SECONDS + 2  # after a user left a process, for another process to refresh them
IDLE_AFTER_SECONDS = 300  # without a command
MAX_LISTED_USERS = 100  # of a stream with more users, only their number is sent
BATCH_SIZE = 500  # streams in one poll, and commands in one Redis pipeline: some 10 ms of this process


def _active_key() -> str:
    """Return the key of a sorted set: user -> until when they are active, as time.time()."""
    return f"{options().key_prefix}:awake"


def _online_key(stream: str) -> str:
    """Return the key of a sorted set: user -> until when they are online there, as time.time()."""
    return f"{options().key_prefix}:here:{stream}"


class StreamPresence(NamedTuple):
    """The users of a stream. The two lists are None when there are more than MAX_LISTED_USERS.

    Attributes:
        total: How many users are online.
        online: The keys of the users who are online, in order.
        idle: The keys of those of them who are idle, in order.
    """

    total: int
    online: list[int] | None
    idle: list[int] | None


class Presence:
    """Reports this process's users to Redis, and tells the members of its streams who is there."""

    def __init__(self, hub: Hub, message: Callable[[str, StreamPresence], str | None]) -> None:
        """Start polling in the running event loop.

        Args:
            hub: Whose members are reported, and get the messages.
            message: Returns the message for the members of the stream with this label, or None.
        """
        self._hub = hub
        self._message = message
        self._redis = redis_clients.connect_async() if options().redis_url else None
        self._reported: dict[str, set[int]] = {}  # to Redis: stream -> users
        self._refreshed_at = 0.0  # when all users were reported, by the loop's clock
        # What was sent to the members of a stream, by which Delivery, and how many had joined by then.
        self._sent: dict[str, tuple[StreamPresence, Delivery, int]] = {}
        self._next = 0  # index of the stream with which the next poll begins
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            try:
                await self._poll()
            except (redis.RedisError, OSError):
                self._refreshed_at = 0.0  # Redis may have lost everything
            except Exception:  # without this, one failure would end presence for good
                logger.exception("Could not update presence")
                self._refreshed_at = 0.0

    async def _poll(self) -> None:
        streams = self._hub.members_by_stream()
        labels = {stream.name: stream.label for stream in streams}
        users_here = {stream.name: {member.key for member in stream.members} for stream in streams}
        await self._report({**users_here, ALL_PROCESSES_GROUP: self._hub.users.keys()})
        names = list(users_here)
        if self._next >= len(names):
            self._next = 0
        batch = names[self._next : self._next + BATCH_SIZE]
        self._next += BATCH_SIZE
        self._send_changes(await self._load(batch, users_here), labels)
        self._sent = {name: sent for name, sent in self._sent.items() if name in users_here}

    # --- To Redis

    async def _report(self, users_here: Mapping[str, set[int]]) -> None:
        if self._redis is None:
            return
        now, clock = time.time(), asyncio.get_running_loop().time()
        is_refresh = clock - self._refreshed_at >= REFRESH_INTERVAL_SECONDS - POLL_INTERVAL_SECONDS / 2
        commands: list[tuple[Any, ...]] = []
        for stream in users_here.keys() | self._reported.keys():
            before, users = self._reported.get(stream, set()), users_here.get(stream, set())
            if online := users if is_refresh else users - before:
                commands.append(("ZADD", _online_key(stream), *_scores(online, now + EXPIRE_AFTER_SECONDS)))
                commands.append(("EXPIRE", _online_key(stream), 2 * EXPIRE_AFTER_SECONDS))
            if left := before - users:
                commands.append(("ZADD", _online_key(stream), "XX", "LT", *_scores(left, now + LEAVE_GRACE_SECONDS)))
        active_until = {
            user: now + IDLE_AFTER_SECONDS - (clock - active_at)
            for user, active_at in self._hub.users.active_at().items()
            if clock - active_at < IDLE_AFTER_SECONDS
        }
        if active_until:
            pairs = (part for user, until in active_until.items() for part in (until, user))
            commands.append(("ZADD", _active_key(), "GT", *pairs))
        await self._execute(commands)
        self._reported = {stream: set(users) for stream, users in users_here.items()}
        if is_refresh:
            self._refreshed_at = clock

    async def _execute(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        assert self._redis is not None
        answers: list[Any] = []
        remaining = iter(commands)
        while batch := list(islice(remaining, BATCH_SIZE)):
            pipeline = self._redis.pipeline(transaction=False)
            for command in batch:
                pipeline.execute_command(*command)
            answers += await pipeline.execute()
        return answers

    # --- From Redis, to members

    async def _load(self, streams: Collection[str], users_here: Mapping[str, set[int]]) -> dict[str, StreamPresence]:
        if self._redis is None:
            idle = self._idle_here()
            return {stream: _stream_presence(users_here[stream], idle) for stream in streams}
        now = time.time()
        commands: list[tuple[Any, ...]] = []
        for stream in streams:
            commands.append(("ZREMRANGEBYSCORE", _online_key(stream), "-inf", now))
            commands.append(("ZCARD", _online_key(stream)))
            commands.append(("ZRANGE", _online_key(stream), 0, MAX_LISTED_USERS))
        answers = await self._execute(commands)
        counts = dict(zip(streams, answers[1::3], strict=True))
        users = {stream: {int(user) for user in some} for stream, some in zip(streams, answers[2::3], strict=True)}
        listed = {user for stream in streams if counts[stream] <= MAX_LISTED_USERS for user in users[stream]}
        idle = listed - await self._active(listed, now)
        return {stream: _stream_presence(users[stream], idle, counts[stream]) for stream in streams}

    async def _active(self, users: Collection[int], now: float) -> set[int]:
        ordered = list(users)
        parts = [ordered[start : start + BATCH_SIZE] for start in range(0, len(ordered), BATCH_SIZE)]
        answers = await self._execute(
            [("ZREMRANGEBYSCORE", _active_key(), "-inf", now), *(("ZMSCORE", _active_key(), *part) for part in parts)]
        )
        scores = [score for part in answers[1:] for score in part]
        return {user for user, score in zip(ordered, scores, strict=True) if score is not None}

    def _idle_here(self) -> set[int]:
        clock = asyncio.get_running_loop().time()
        active_at = self._hub.users.active_at()
        return {user for user, at in active_at.items() if clock - at >= IDLE_AFTER_SECONDS}

    def _send_changes(self, loaded: Mapping[str, StreamPresence], labels: Mapping[str, str]) -> None:
        for stream, presence in loaded.items():
            delivery = self._hub.delivery(stream)
            if delivery is None:
                continue
            current = (presence, delivery, delivery.join_count)
            if self._sent.get(stream) == current:
                continue
            if (message := self._message(labels[stream], presence)) is not None:
                self._sent[stream] = current
                delivery.send_ephemeral(message)

    async def close(self) -> None:
        """Stop, and close the connection to Redis."""
        self._task.cancel()
        if self._redis is not None:
            await self._redis.aclose()


def load_presence(users: Collection[int]) -> dict[int, Literal["online", "idle"]]:
    """Return which of these users are connected anywhere; nothing while Redis does not answer."""
    if not users or not options().redis_url:
        return {}
    now = time.time()
    try:
        with redis_clients.connect() as client:
            online_until = client.zmscore(_online_key(ALL_PROCESSES_GROUP), [str(user) for user in users])
            active_until = client.zmscore(_active_key(), [str(user) for user in users])
    except (redis.RedisError, OSError):
        return {}
    return {
        user: "online" if (active or 0) > now else "idle"
        for user, online, active in zip(users, online_until, active_until, strict=True)
        if (online or 0) > now
    }


def _scores(users: Iterable[int], until: float) -> Iterable[Any]:
    return (part for user in users for part in (until, user))


def _stream_presence(users: Collection[int], idle: Collection[int], count: int | None = None) -> StreamPresence:
    count = len(users) if count is None else count
    if count > MAX_LISTED_USERS:
        return StreamPresence(count, None, None)
    return StreamPresence(count, sorted(users), sorted(user for user in users if user in idle))
