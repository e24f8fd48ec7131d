"""A channel layer over Redis for the consumers of any project: its sockets stay open while Redis restarts.

    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_realtime.channel_layer.ChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:6379/0"], "prefix": "mysite"},
        },
    }

Groups and the channels of consumers use publish/subscribe: one subscription for each group and process, and a message
is never dropped because other consumers of the process are slow. A named channel, which `manage.py runworker` reads, is
a queue: a message waits for a worker, and one worker gets it. As everywhere in Channels, a message may be lost.

While Redis is away, consumers connect and join groups as usual; the subscriptions follow when it is back. A send waits
for up to WAIT_SECONDS since Redis went away, then it raises redis.ConnectionError.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import redis
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer
from channels_redis.serializers import registry
from redis import asyncio as redis_asyncio

from .internals import create_pool, decode_hosts, flush_before_close

logger = logging.getLogger(__name__)

WAIT_SECONDS = 5  # for which sends wait since Redis went away: longer than it takes to restart
RETRY_SECONDS = 0.1
SETTLE_SECONDS = 0.5  # after Redis is back, for all processes to subscribe again before one of them sends
READ_SECONDS = 5  # of one blocking read; it only limits how long a dead connection is not noticed
DEFAULT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 2 * READ_SECONDS, "max_connections": 1000}

Message = dict[str, Any]
AWAY = (redis.ConnectionError, redis.TimeoutError, OSError)


def raise_swallowed_cancellation() -> None:
    """Raise CancelledError where redis-py has caught the one with which the current task was cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class ConsumerQueue(asyncio.Queue[Message]):
    """The messages that one consumer has not received yet. When it is full, the oldest one is dropped."""

    def put_latest(self, message: Message) -> bool:
        """Add a message. Returns whether another one was dropped for it."""
        if is_dropping := self.full():
            self.get_nowait()
        self.put_nowait(message)
        return is_dropping


class LoopState:
    """The connections, queues and groups of one event loop."""

    def __init__(self, layer: "ChannelLayer") -> None:
        self._layer = layer
        self.client = layer.create_client()
        self.process_channel = f"{layer.prefix}.process.{uuid4().hex[:16]}"
        self.queues: dict[str, ConsumerQueue] = {}
        self.groups: defaultdict[str, set[str]] = defaultdict(set)  # Redis channel of a group -> its channels here
        self.groups_of: defaultdict[str, set[str]] = defaultdict(set)  # channel -> the Redis channels of its groups
        self._away_since: float | None = None
        self._subscriber: asyncio.Task[None] | None = None
        self._pubsub: Any = None  # while it is subscribed
        self._is_subscribed = asyncio.Event()
        self._settled_at = 0.0
        self._dropping: set[str] = set()  # channels for which a warning was logged

    # --- Redis may be away

    def set_away(self, error: BaseException) -> None:
        """Remember since when Redis is away, and log it once."""
        if self._away_since is None:
            self._away_since = time.monotonic()
            logger.warning("Redis is away; its channel layer waits for it: %r", error)

    def set_back(self) -> None:
        """Remember that Redis answers."""
        if self._away_since is not None:
            self._away_since = None
            logger.warning("Redis is back.")

    async def execute(self, command: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return what Redis answers to a command; wait for a Redis that went away less than WAIT_SECONDS ago.

        Raises:
            redis.ConnectionError: It is still away.
        """
        while True:
            try:
                if self._subscriber is not None and not self._is_subscribed.is_set():
                    left = (self._away_since or time.monotonic()) + WAIT_SECONDS - time.monotonic()
                    await asyncio.wait_for(self._is_subscribed.wait(), max(0, left))
                if (wait := self._settled_at - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                answer = await command(self.client)
            except TimeoutError:
                raise redis.ConnectionError("Redis is away") from None
            except redis.ConnectionError as error:
                self.set_away(error)
                assert self._away_since is not None
                if time.monotonic() - self._away_since > WAIT_SECONDS:
                    raise
                await asyncio.sleep(SETTLE_SECONDS)
            else:
                self.set_back()
                return answer

    # --- Subscriptions

    async def subscribe(self, name: str) -> None:
        """Receive what is published under this name, now or as soon as Redis is back."""
        if self._subscriber is None:
            self._subscriber = asyncio.ensure_future(self._receive_published())
        if self._pubsub is None:
            try:
                await asyncio.wait_for(self._is_subscribed.wait(), DEFAULT_OPTIONS["socket_connect_timeout"])
            except TimeoutError:
                return  # the subscriber subscribes to everything when Redis is back
        await self._tell_subscriber("subscribe", name)

    async def _tell_subscriber(self, command: str, name: str) -> None:
        if self._pubsub is not None:
            try:
                await getattr(self._pubsub, command)(name)
            except AWAY as error:
                self.set_away(error)  # the subscriber notices it as well, and begins anew

    async def _receive_published(self) -> None:
        is_first = True
        while True:
            pubsub = self.client.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(self.process_channel, *self.groups)
                self._pubsub = pubsub
                if not is_first:
                    self._settled_at = time.monotonic() + SETTLE_SECONDS
                is_first = False
                self._is_subscribed.set()
                self.set_back()
                while True:
                    raise_swallowed_cancellation()
                    if (published := await pubsub.get_message(timeout=READ_SECONDS)) is not None:
                        self._dispatch(published["channel"].decode(), published["data"])
            except AWAY as error:
                self.set_away(error)
            except Exception:
                logger.exception("The channel layer could not handle what Redis sent")
            finally:
                self._pubsub = None
                self._is_subscribed.clear()
                await pubsub.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    def _dispatch(self, name: str, data: bytes) -> None:
        if name == self.process_channel:
            packed = self._layer.serializer.deserialize(data)
            self._put(packed["channel"], packed["message"])
            return
        for channel in self.groups.get(name, ()):
            # Each consumer gets a message of its own: it may change it.
            self._put(channel, self._layer.serializer.deserialize(data)["message"])

    def _put(self, channel: str, message: Message) -> None:
        queue = self.queues.get(channel)
        if queue is not None and queue.put_latest(message) and channel not in self._dropping:
            self._dropping.add(channel)
            logger.warning("A consumer has %d messages waiting, and loses the oldest ones", queue.maxsize)

    # --- Channels of consumers

    def forget(self, channel: str) -> list[str]:
        """Forget a consumer's channel. Returns the Redis channels of groups that have no member here any more."""
        self.queues.pop(channel, None)
        self._dropping.discard(channel)
        emptied = []
        for group in self.groups_of.pop(channel, set()):
            self.groups[group].discard(channel)
            if not self.groups[group]:
                del self.groups[group]
                emptied.append(group)
        return emptied

    async def unsubscribe(self, names: Sequence[str]) -> None:
        """Receive nothing more of these names."""
        for name in names:
            await self._tell_subscriber("unsubscribe", name)

    async def flush(self) -> None:
        """Close the connections."""
        if self._subscriber is not None:
            self._subscriber.cancel()
            await asyncio.gather(self._subscriber, return_exceptions=True)
            self._subscriber = None
        await self.client.aclose(close_connection_pool=True)


class ChannelLayer(BaseChannelLayer):
    """See the module. The arguments have the names that channels_redis uses.

    Args:
        hosts: One Redis: a URL, (host, port), or a dictionary as for channels_redis, with options for redis-py.
        prefix: The first part of every key and channel. Redis shares channels between its databases, so two sites need
            two prefixes.
        expiry: Seconds after which a message in a named channel is dropped.
        capacity: Messages that one consumer or one named channel holds. Above it, a consumer loses the oldest one, with
            a warning, and a named channel refuses the next one by ChannelFull.
        channel_capacity: Other capacities, by a glob of the channel's name.
        symmetric_encryption_keys: As for channels_redis.
    """

    extensions = ("groups", "flush")

    def __init__(
        self,
        hosts: Sequence[Any] | None = None,
        prefix: str = "asgi",
        expiry: int = 60,
        capacity: int = 5000,
        channel_capacity: Mapping[str, int] | None = None,
        symmetric_encryption_keys: Sequence[str] | None = None,
    ) -> None:
        super().__init__(expiry=expiry, capacity=capacity, channel_capacity=channel_capacity)
        self.channel_capacity = self.compile_capacities(channel_capacity or {})
        decoded = decode_hosts(hosts)
        if len(decoded) != 1:
            raise ValueError(f"This channel layer uses one Redis, and `hosts` names {len(decoded)}")
        self.host, self.prefix = {**DEFAULT_OPTIONS, **decoded[0]}, prefix
        self.serializer = registry.get_serializer("msgpack", symmetric_encryption_keys=symmetric_encryption_keys)
        self._layers: dict[asyncio.AbstractEventLoop, LoopState] = {}  # flush_before_close knows this name

    def create_client(self) -> Any:
        """Return a Redis client that does not try again by itself."""
        return redis_asyncio.Redis(connection_pool=create_pool(self.host))

    def connection(self, index: int) -> Any:
        """Return the Redis client of this event loop, as channels_redis does: projects keep keys of their own by it.

        `async with` may close it: it opens connections again when it is used. It does not try again by itself.

        Args:
            index: 0, the number of the layer's only Redis.

        Raises:
            ValueError: for another number.
        """
        if index != 0:
            raise ValueError(f"This channel layer has the Redis number 0 alone, not {index}")
        return self._state().client

    def _state(self) -> LoopState:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = LoopState(self)
            flush_before_close(self, loop)
        return self._layers[loop]

    # --- Channels

    async def new_channel(self, prefix: str = "specific") -> str:
        """Return the name of a new channel that only this process can receive from."""
        state = self._state()
        channel = f"{state.process_channel}!{uuid4().hex}"
        state.queues[channel] = ConsumerQueue(self.get_capacity(channel))
        await state.subscribe(state.process_channel)
        return channel

    async def send(self, channel: str, message: Message) -> None:
        """Send to one channel. Raises ChannelFull, redis.ConnectionError, or TypeError for a name that is not valid."""
        self.require_valid_channel_name(channel)
        if "!" in channel:
            packed = self.serializer.serialize({"channel": channel, "message": message})
            await self._state().execute(lambda client: client.publish(channel.partition("!")[0], packed))
            return
        key, capacity = self._queue_key(channel), self.get_capacity(channel)
        packed = self.serializer.serialize({"at": time.time(), "message": message})
        if await self._state().execute(lambda client: client.llen(key)) >= capacity:
            raise ChannelFull

        async def push(client: Any) -> None:
            async with client.pipeline(transaction=True) as pipeline:
                await pipeline.rpush(key, packed).expire(key, self.expiry).execute()

        await self._state().execute(push)

    async def receive(self, channel: str) -> Message:
        """Wait for the next message of a channel."""
        self.require_valid_channel_name(channel)
        state = self._state()
        if "!" not in channel:
            return await self._receive_named(state, channel)
        try:
            return await state.queues[channel].get()
        except (asyncio.CancelledError, GeneratorExit):
            # Channels has no other way to say that a consumer has ended.
            await state.unsubscribe(state.forget(channel))
            raise

    async def _receive_named(self, state: LoopState, channel: str) -> Message:
        key = self._queue_key(channel)
        while True:
            raise_swallowed_cancellation()
            try:
                popped = await state.client.blpop([key], timeout=READ_SECONDS)
            except AWAY as error:
                state.set_away(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            state.set_back()
            if popped is not None:
                packed = self.serializer.deserialize(popped[1])
                if time.time() - packed["at"] <= self.expiry:
                    message: Message = packed["message"]
                    return message

    def _queue_key(self, channel: str) -> str:
        return f"{self.prefix}:queue:{channel}"

    # --- Groups

    async def group_add(self, group: str, channel: str) -> None:
        """Add a channel of this process to a group. Raises RuntimeError for another process's channel."""
        self.require_valid_group_name(group)
        state, name = self._state(), self._group_channel(group)
        if channel not in state.queues:
            raise RuntimeError(f"{channel!r} is not a channel of this process: use self.channel_name")
        is_new = name not in state.groups
        state.groups[name].add(channel)
        state.groups_of[channel].add(name)
        if is_new:
            await state.subscribe(name)

    async def group_discard(self, group: str, channel: str) -> None:
        """Remove a channel from a group. It need not be in it."""
        self.require_valid_group_name(group)
        state, name = self._state(), self._group_channel(group)
        if name not in state.groups_of.get(channel, ()):
            return
        state.groups_of[channel].discard(name)
        state.groups[name].discard(channel)
        if not state.groups[name]:
            del state.groups[name]
            await state.unsubscribe([name])

    async def group_send(self, group: str, message: Message) -> None:
        """Send to every channel in a group. Raises redis.ConnectionError, or TypeError for a name that is not valid."""
        self.require_valid_group_name(group)
        name, packed = self._group_channel(group), self.serializer.serialize({"message": message})
        await self._state().execute(lambda client: client.publish(name, packed))

    def _group_channel(self, group: str) -> str:
        return f"{self.prefix}.group.{group}"

    async def flush(self) -> None:
        """Forget every channel and group of this event loop, and close its connections."""
        if state := self._layers.pop(asyncio.get_running_loop(), None):
            await state.flush()
