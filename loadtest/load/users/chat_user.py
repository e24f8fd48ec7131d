"""A user of any chat: joins rooms, sends on a schedule, and reconnects when the connection breaks.

For another server override `join`, `send_message` and `decode_events`; see examples/channels_tutorial.py. The schedule
does not wait for replies: a message that is due while the server is slow, or while there is no connection, keeps the
moment it was due, and latencies count from there.
"""

import random
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import gevent
from locust import task

from loadtest.core.connection import OpenTimes
from loadtest.core.handshake import ConnectionClosed, HandshakeRefused, WebSocketError
from loadtest.core.message_tag import MessageTag
from loadtest.core.oracle import DeliveryTracker, Event
from loadtest.load.gevent_loop import GeventLoop
from loadtest.load.plan import USER_JOURNEY, Phase, Plan
from loadtest.load.users.websocket_user import NORMAL_CLOSE_CODE, WebSocketUser
from loadtest.load.worker import Worker

JOIN_TIMEOUT_SECONDS = 60  # for one attempt
MAX_RECONNECT_DELAY_SECONDS = 5.0
FINAL_CLOSE_CODES = range(4400, 4500)  # a reconnect would be refused as well
REASON_CHARACTERS = 80  # of an error, in the report

# What a user class of an earlier release overrides or calls; the old names work until the next one.
OLD_HOOKS = {
    "prepare": "sign_in",
    "enter": "join",
    "say": "send_message",
    "events_in": "decode_events",
    "live_a_day": "run_user_journey",
    "has_days": "has_user_journey",
}


def warn_old_name(old: str, new: str) -> None:
    """Warn that a name of an earlier release was used."""
    warnings.warn(f"{old} is now called {new}; the old name works until the next release.", FutureWarning, stacklevel=3)


class OutboxMessage(NamedTuple):
    """A message that was sent, or is to be sent, and is not acknowledged."""

    room: str
    text: str
    due_at: int  # nanoseconds of the run's clock


class ChatUser(WebSocketUser):
    """A user of any chat.

    Attributes:
        acks: the server answers a message with its sequence number in the room.
        has_user_journey: `run_user_journey` is there.
        worker: the part of the run that this process plays.
        number: of this user, among those of all workers.
        rooms: that the user is in.
        outbox: messages that are not acknowledged, by number.
        is_joined: connected, and in all rooms.
        reconnect_in: seconds that the server has asked to wait before the next connection.
    """

    abstract = True
    acks: ClassVar[bool] = True
    has_user_journey: ClassVar[bool] = False
    worker: ClassVar[Worker]

    def __init_subclass__(cls, **settings: Any) -> None:
        """Accept hooks under their old names."""
        super().__init_subclass__(**settings)
        for old, new in OLD_HOOKS.items():
            if old in vars(cls) and new not in vars(cls):
                setattr(cls, new, vars(cls)[old])
                warn_old_name(f"{cls.__name__}.{old}", new)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.number = -1
        self.rooms: list[str] = []
        self.outbox: dict[int, OutboxMessage] = {}
        self.is_joined = False
        self.reconnect_in = 0.0
        self._sent = 0
        self._left_trackers: list[tuple[str, DeliveryTracker]] = []  # of sockets that have left for good

    # --- to override

    def sign_in(self) -> None:
        """Sign in, once, before the first connection. May wait."""

    def join(self) -> None:
        """Connect, and be in all rooms on return. May wait. Raises OSError, HandshakeRefused or ConnectionClosed."""
        raise NotImplementedError

    def send_message(self, number: int, room: str, text: str) -> None:
        """Send message `number` of this user to a room. Must not wait. Raises ConnectionClosed."""
        raise NotImplementedError

    @staticmethod
    def decode_events(payload: bytes) -> list[Event] | None:
        """Return the changes of rooms in a frame; None if the frame is for `on_message`. Raises ValueError."""
        raise NotImplementedError

    def run_user_journey(self, phase: Phase) -> None:
        """Do what people do in a browser until the phase is over."""
        raise NotImplementedError

    def is_final(self, error: Exception) -> bool:
        """Return whether the next attempt to join would fail with the same error. The user then stays away."""
        return False

    # --- to call

    @property
    def plan(self) -> Plan:
        """The plan of the run."""
        return self.worker.plan

    def open(self, url: str, **options: Any) -> OpenTimes:
        """Call `connect`, and record how long it took."""
        opened = self.connect(url, **options)
        self.worker.recorder.add("connect", opened.connect)
        self.worker.recorder.add("handshake", opened.handshake)
        return opened

    def record_ack(self, number: int, room: str, seq: int) -> None:
        """Record that the server has acknowledged message `number` as this sequence number of the room."""
        if sent := self.outbox.pop(number, None):
            self.worker.record_ack(room, seq, self.number, number)
            self.worker.recorder.add("ack", self.worker.clock.now() - sent.due_at)

    def record_refusal(self, number: int, code: str, retry_after: float | None) -> None:
        """Record that the server has refused message `number`.

        Args:
            number: of the message.
            code: of the server's error.
            retry_after: seconds after which it is sent again; None if that is of no use.
        """
        self.worker.counters.refused[code] += 1
        if retry_after is None:
            self.outbox.pop(number, None)
        else:
            gevent.spawn_later(retry_after, self._send_again, number)

    def acked(self, number: int, room: str, seq: int) -> None:
        """Call `record_ack`, whose old name this is."""
        warn_old_name("acked", "record_ack")
        self.record_ack(number, room, seq)

    def refuse(self, number: int, code: str, retry_after: float | None) -> None:
        """Call `record_refusal`, whose old name this is."""
        warn_old_name("refuse", "record_refusal")
        self.record_refusal(number, code, retry_after)

    # --- the run

    @task
    def run_phases(self) -> None:
        """Sign in, join, and take part in every phase."""
        self.worker.register(self)
        self.rooms = self.plan.rooms_of(self.number)
        self.worker.sleep_until(self.worker.starts + int(self.number * 1e9 / self.plan.connect_rate))
        self.sign_in()
        self.join_until_successful()
        for phase in self.worker.iterate_phases():
            self.run_phase(phase)

    def run_phase(self, phase: Phase) -> None:
        """Do what the phase and the plan say."""
        if self.plan.behaviour == USER_JOURNEY:
            self.run_user_journey(phase)
            return
        if phase.storm:
            self.worker.sleep_until(phase.starts)
            self.break_connection(phase.starts)
        if self.number >= self.plan.sender_count:
            return
        for due_at in phase.send_times(self.number, self.plan.sender_count):
            self.worker.sleep_until(due_at)
            self.post(due_at)

    def post(self, due_at: int, room: str = "") -> None:
        """Send a message that was due at this time of the run's clock: to the room, or to each room in turn."""
        worker = self.worker
        if not self.is_joined and not self.acks:  # such a server would never tell whether it arrived
            worker.counters.refused["not connected"] += 1
            return
        number = self._sent
        text = worker.tagger.build_text(MessageTag(self.number, number, due_at))
        message = OutboxMessage(room or self.rooms[number % len(self.rooms)], text, due_at)
        self._sent += 1
        worker.sent += 1
        worker.recorder.add("lag", worker.clock.now() - due_at)
        if self.acks:
            self.outbox[number] = message
        if self.is_joined:
            self._send_now(number, message)

    def _send_now(self, number: int, message: OutboxMessage) -> None:
        try:
            self.send_message(number, message.room, message.text)
        except ConnectionClosed:
            return  # it is sent again after the reconnect
        if not self.acks:
            self.worker.record_ack(self.worker.sender_stream(self.number), number, self.number, number)

    def _send_again(self, number: int) -> None:
        if self.is_joined and (message := self.outbox.get(number)):
            self._send_now(number, message)

    # --- connecting, disconnecting, reconnecting

    def join_until_successful(self, disconnected_at: int | None = None) -> None:
        """Try to join until it succeeds, then send what is in the outbox.

        Args:
            disconnected_at: when the connection broke; the time since then is recorded as `caught_up`.
        """
        tries = 0
        while not self.is_joined:
            try:
                with gevent.Timeout(JOIN_TIMEOUT_SECONDS, TimeoutError("the server did not let the user join")):
                    self.join()
                self.is_joined = self.connection is not None
            except (OSError, WebSocketError) as error:
                self.disconnect()
                reason = str(error) if isinstance(error, HandshakeRefused) else type(error).__name__
                if self.is_final(error):
                    self.worker.counters.refused[reason[:REASON_CHARACTERS]] += 1
                    return
                self.worker.counters.failed[reason[:REASON_CHARACTERS]] += 1
                delay = self.reconnect_in or min(MAX_RECONNECT_DELAY_SECONDS, 0.1 * 2**tries)
                self.reconnect_in = 0.0
                gevent.sleep(delay * random.uniform(0.5, 1))  # noqa: S311
                tries += 1
        self.worker.joined += 1
        if disconnected_at is not None:
            self.worker.recorder.add("caught_up", self.worker.clock.now() - disconnected_at)
        for number, message in list(self.outbox.items()):
            if self.is_joined:
                self._send_now(number, message)

    def break_connection(self, at: int) -> None:
        """Drop the connection as a broken network does, and reconnect at once. `at`: time of the run's clock."""
        if self.is_joined:
            self.disconnect()
            self._reconnect(at, 0)

    def _reconnect(self, disconnected_at: int, delay: float) -> None:
        self.is_joined = False
        self.worker.joined -= 1
        gevent.spawn_later(delay, self.join_until_successful, disconnected_at)

    def leave(self) -> None:
        """Close the connection for good. What is delivered later is not owed to this user."""
        self.disconnect(NORMAL_CLOSE_CODE)
        self.worker.joined -= self.is_joined
        self.is_joined = False
        for stream, tracker in self.trackers.items():
            tracker.has_left = True
            self._left_trackers.append((stream, tracker))
        self.trackers = {}

    def on_close(self, code: int, reason: str) -> None:
        """Count the close, and reconnect unless the close code is final."""
        self.worker.counters.closed[str(code)] += 1
        if not self.is_joined:
            return  # `join` is waiting for an answer, and gets an exception
        delay, self.reconnect_in = self.reconnect_in or random.uniform(0, 0.5), 0.0  # noqa: S311
        if code in FINAL_CLOSE_CODES:
            self.is_joined = False
            self.worker.joined -= 1
            self.worker.counters.failed[f"closed with {code} {reason}"[:REASON_CHARACTERS]] += 1
        else:
            self._reconnect(self.worker.clock.now(), delay)

    # --- what the socket loop and the worker call

    def socket_loop(self) -> GeventLoop:
        """Return the loop of the worker."""
        return self.worker.loop

    def start_tracker(self, stream: str, seq: int) -> DeliveryTracker:
        """Begin to follow a stream.

        Where the server does not number changes, all users join before the first message, and are owed all of them.
        """
        room = stream.partition("/")[0]
        if self.acks or room not in self.rooms:
            self.worker.faults.phantom += 1  # of a room that the user is not in
            return DeliveryTracker(seq, seq, has_left=True)
        tracker = self.trackers[stream] = DeliveryTracker(0, 0)
        return tracker

    def all_trackers(self) -> Iterator[tuple[str, DeliveryTracker]]:
        """Yield stream and tracker of everything that this user has followed, or should have."""
        if not self.acks:
            for user in range(self.plan.sender_count):
                if self.plan.rooms_of(user) == self.rooms:
                    self.trackers.setdefault(self.worker.sender_stream(user), DeliveryTracker(0, 0))
        yield from self._left_trackers
        yield from self.trackers.items()

    @property
    def verify(self) -> bool:  # type: ignore[override]  # the plan says it for all users
        """Check the server's certificate."""
        return self.plan.verify
