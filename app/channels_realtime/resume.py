"""The base of a Channels consumer whose clients lose nothing when they reconnect: see README.md in this folder.

The consumer joins a stream instead of a group, and publishes events instead of sending them to a group. Each event is
stored, and handled by the consumer's method that its `type` names, as in Channels. On the page,
`channels_realtime/resumable-socket.js` reconnects, names the last event that it has received, and sends again what was
not acknowledged. A page with a plain WebSocket works as before, without resume.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import redis
from channels.consumer import get_handler_name
from channels.exceptions import ChannelFull, StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError

from .database import run_query
from .frames import Frame
from .hub import Hub, StreamLost
from .stored_events import (
    GROUP_PREFIX,
    Position,
    Snapshot,
    StoredStreams,
    check_stream_name,
    load_snapshot,
    publish_event,
)
from .stream import Event, Writer

Message = dict[str, Any]  # an ASGI event
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_WAITING = 1000  # frames of streams that a consumer has not handled yet; above it the client must come back
MAX_KEY_CHARS = 48  # of the id that a client gives to a message
# While Redis or the database is away, each message fails; that says nothing about the message.
PASSING_FAULTS = (OperationalError, InterfaceError, redis.RedisError, ChannelFull, OSError)
# What parsing a client's JSON may raise, and using it as if it were right.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
QUERY_PARAMETER = "resume"  # of the WebSocket's address: the client's positions as JSON

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def shared_hub() -> Hub:
    """Return the hub of the running event loop for stored streams; the first consumer creates it."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(StoredStreams())
    return _hubs[loop]


class Subscription:
    """A consumer's membership of one stream: what the hub delivers waits here for the consumer."""

    key = 0  # no event removes a member

    def __init__(self, consumer: "ResumableMixin", name: str) -> None:
        self.event_writer: Writer = self
        self.name = name
        self.epoch = ""
        self._consumer = consumer

    def write(self, frame: Frame) -> None:
        """Hand events to the consumer."""
        self._consumer.add_waiting(self, frame.text)

    def send_droppable(self, frame: Frame) -> None:
        """Drop an ephemeral frame: these streams have none."""

    def on_removed(self, stream: str, event: Event) -> None:
        """Do nothing: no event removes a member."""

    def on_stream_lost(self, stream: str) -> None:
        """Make the client come back with its position."""
        self._consumer.close_to_resume()


class ResumableMixin:
    """What makes a consumer resumable. Use it before a WebSocket consumer of Channels that is asynchronous.

    Attributes:
        history: How many of the newest events of a stream a client gets that joins it for the first time.
    """

    history: ClassVar[int] = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        query = parse_qs(scope.get("query_string", b"").decode("latin1"))
        self._positions = parse_positions(query[QUERY_PARAMETER][0]) if QUERY_PARAMETER in query else None
        self._asgi_receive, self._asgi_send = receive, send
        self._subscriptions: dict[str, Subscription] = {}
        self._waiting: deque[tuple[Subscription, str | Snapshot]] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._next_message: asyncio.Future[Message] | None = None
        self._texts: list[str] | None = None  # that the handler of a stored event sends
        self._message_key: str | None = None  # of the client's message that is being handled
        self._published = 0  # events while it is handled
        self._is_closing = False  # what comes now is delivered after the client has reconnected
        try:
            await super().__call__(scope, self._receive, self._send)  # type: ignore[misc]
        finally:
            for name in list(self._subscriptions):
                await self.leave_stream(name)
            if self._next_message is not None:
                self._next_message.cancel()

    # --- For consumers to call

    async def join_stream(self, name: str) -> None:
        """Handle every event of the stream from now on; before that, those that this client missed.

        Raises:
            TypeError: The name is not valid: see channels_realtime.stored_events.check_stream_name.
        """
        check_stream_name(name)
        await self.leave_stream(name)
        position = (self._positions or {}).get(name)
        subscription = Subscription(self, name)
        while name not in self._subscriptions:
            with shared_hub().joining(GROUP_PREFIX + name) as join:
                try:
                    await join.wait_until_open()
                    snapshot = await run_query(load_snapshot, name, position, self.history)
                    await join.catch_up(snapshot)
                except StreamLost:
                    continue  # it began anew meanwhile
                # Nothing is awaited from here on: see Hub.joining.
                self._subscriptions[name] = subscription
                subscription.epoch = snapshot.stream_epoch
                self._waiting.append((subscription, snapshot))
                join.complete(subscription)
        self._wake()

    async def leave_stream(self, name: str) -> None:
        """Handle no more events of the stream. It need not have been joined."""
        if subscription := self._subscriptions.pop(name, None):
            shared_hub().leave(GROUP_PREFIX + name, subscription)
            self._waiting = deque(item for item in self._waiting if item[0] is not subscription)

    async def publish(self, stream: str, event: Mapping[str, Any]) -> int:
        """Store an event and deliver it to every client that has joined the stream. Returns its sequence number.

        When the client sends the same message again, because it has not received the acknowledgement, the event is
        stored once. See channels_realtime.stored_events.publish_event.
        """
        key = None
        if self._message_key is not None:
            key = f"{self._message_key}.{self._published}"
            self._published += 1
        return await run_query(publish_event, stream, event, key=key)

    # --- What the hub calls, by a Subscription

    def add_waiting(self, subscription: Subscription, text: str) -> None:
        """Queue a frame of events for the consumer."""
        if self._is_closing:
            return
        self._waiting.append((subscription, text))
        if len(self._waiting) > MAX_WAITING:
            self.close_to_resume()
        else:
            self._wake()

    def close_to_resume(self) -> None:
        """Close the connection; the client reconnects and gets what it has not received."""
        self._is_closing = True
        self._waiting.clear()
        task = asyncio.ensure_future(self._asgi_send({"type": "websocket.close", "code": 1012}))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    # --- Between the server and the consumer

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def _receive(self) -> Message:
        """Wait for events of a stream, or for the server's next message; a resumable client's is unwrapped."""
        while True:
            if self._waiting:
                return {"type": "resume.deliver"}
            if self._next_message is None:
                self._next_message = asyncio.ensure_future(self._asgi_receive())
            self._arrival = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._next_message, self._arrival), return_when=asyncio.FIRST_COMPLETED)
            if self._next_message.done():
                message, self._next_message = self._next_message.result(), None
                unwrapped = await self._unwrap(message)
                if unwrapped is not None:
                    return unwrapped

    async def _unwrap(self, message: Message) -> Message | None:
        """Return the message that a resumable client's frame carries, or None if it is for us."""
        if self._positions is None or message["type"] != "websocket.receive" or message.get("text") is None:
            return message
        try:
            frame = json.loads(message["text"])
            if "ping" in frame:
                await self._send_frame({"pong": frame["ping"]})
                return None
            key, text = frame["id"], frame["text"]
            if not (isinstance(key, str) and isinstance(text, str) and 0 < len(key) <= MAX_KEY_CHARS):
                raise ValueError(key)
        except MALFORMED:
            await self._asgi_send({"type": "websocket.close", "code": 4400, "reason": "The frame is malformed."})
            return None
        return {"type": "websocket.receive", "text": text, "resume_key": key}

    async def dispatch(self, message: Message) -> None:
        """Handle a message; acknowledge it if it came from a resumable client."""
        if message["type"] == "resume.deliver":
            await self._deliver()
        elif (key := message.get("resume_key")) is None:
            await super().dispatch(message)  # type: ignore[misc]
        else:
            self._message_key, self._published = key, 0
            try:
                await super().dispatch(message)  # type: ignore[misc]
            except (StopConsumer, *PASSING_FAULTS):
                raise  # the client sends the message again
            except Exception:
                await self._send_frame({"failed": key})  # so that the client does not send it for ever
                raise
            finally:
                self._message_key = None
            await self._send_frame({"ack": key})

    async def _deliver(self) -> None:
        while self._waiting:
            subscription, item = self._waiting.popleft()
            if isinstance(item, Snapshot):
                # The client must know where it is also when nothing follows.
                before = item.head - len(item.events)
                await self._send_position(subscription, before, missed=item.missed)
                events = [json.loads(event.text) for event in item.events]
            else:
                events = json.loads(item)["events"]
            for seq, event in events:
                await self._handle(subscription, seq, event)

    async def _handle(self, subscription: Subscription, seq: int, event: Message) -> None:
        """Let the consumer handle one event; what it sends goes to the client as one frame, with the position."""
        handler = getattr(self, get_handler_name(event), None)
        if handler is None:
            raise ValueError(f"No handler for message type {event['type']}")
        self._texts = []
        try:
            await handler(event)
        finally:
            texts, self._texts = self._texts, None
        if texts and self._positions is not None:
            await self._send_position(subscription, seq, texts=texts)

    async def _send(self, message: Message) -> None:
        """Send what the consumer sends."""
        if self._positions is None or message["type"] != "websocket.send" or message.get("text") is None:
            await self._asgi_send(message)
        elif self._texts is not None:
            self._texts.append(message["text"])
        else:
            await self._send_frame({"texts": [message["text"]]})

    async def _send_position(self, subscription: Subscription, seq: int, **more: Any) -> None:
        frame = {"stream": subscription.name, "epoch": subscription.epoch, "seq": seq, **more}
        await self._send_frame(frame)

    async def _send_frame(self, frame: Message) -> None:
        if self._positions is not None:
            await self._asgi_send({"type": "websocket.send", "text": json.dumps(frame, separators=(",", ":"))})


def parse_positions(text: str) -> dict[str, Position]:
    """Parse the positions that a client names: `{stream: [epoch, seq]}`. What is malformed is no position."""
    try:
        given = json.loads(text or "{}")
        return {str(name): Position(str(epoch), max(0, int(seq))) for name, (epoch, seq) in given.items()}
    except MALFORMED:
        return {}


class ResumableConsumer(ResumableMixin, AsyncWebsocketConsumer):
    """Channels' AsyncWebsocketConsumer, resumable."""


class ResumableJsonConsumer(ResumableMixin, AsyncJsonWebsocketConsumer):
    """Channels' AsyncJsonWebsocketConsumer, resumable."""
