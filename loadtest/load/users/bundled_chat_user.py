"""A user of the chat that comes with the stack.

It signs in as a browser does, joins rooms over the chat's protocol, and resumes after a reconnect.
"""

import itertools
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from loadtest.core import bundled_chat_protocol
from loadtest.core.bundled_chat_protocol import SUBPROTOCOL, Reply, build_command
from loadtest.core.handshake import ConnectionClosed
from loadtest.core.oracle import DeliveryTracker, Event, record_resume, record_snapshot
from loadtest.load.plan import Phase
from loadtest.load.users.bundled_chat_browser import DEFAULT_RETRY_SECONDS, Browser, PageFailed
from loadtest.load.users.chat_user import REASON_CHARACTERS, ChatUser
from loadtest.load.users.user_journey import run_journey

MAX_RESUMED_CHANGES = 300  # the most that a server sends in one resume
FIRST_COMMAND_ID = 1 << 40  # ids below are messages, by their number


class BundledChatUser(ChatUser):
    """A user of the chat that comes with the stack.

    Attributes:
        session: the cookie: one that was made beforehand, or that of a new guest.
        epochs: of the rooms, as the server named them last.
    """

    abstract = True
    has_user_journey = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.session = ""
        self.epochs: dict[str, str] = {}
        self._ids = itertools.count(FIRST_COMMAND_ID)
        self._answers: dict[int, AsyncResult] = {}

    # --- over HTTP

    def sign_in(self) -> None:
        """Take a session that was made beforehand, or sign in as a guest."""
        if cookies := self.plan.cookies:
            self.session = cookies[self.number % len(cookies)]
        while not self.session:
            try:
                self.session = Browser(self, self.worker).sign_in(f"Load {self.number}")
            except PageFailed as error:
                self.worker.counters.failed[str(error)[:REASON_CHARACTERS]] += 1
                gevent.sleep(DEFAULT_RETRY_SECONDS)

    def run_user_journey(self, phase: Phase) -> None:
        """Do what people do in a browser until the phase is over."""
        run_journey(self, phase)

    # --- over the socket

    def join(self) -> None:
        """Connect, and join all rooms. Raises OSError, HandshakeRefused or ConnectionClosed."""
        site = urlsplit(self.plan.url)
        self.open(
            f"{'wss' if site.scheme == 'https' else 'ws'}://{site.netloc}/ws/",
            headers={"Origin": self.plan.url, "Cookie": f"sessionid={self.session}"},
            subprotocols=(SUBPROTOCOL,),
        )
        self.request("hello", client="loadtest")
        for room in self.rooms:
            self.join_room(room)

    def join_room(self, room: str) -> None:
        """Join a room; resume if the user has been there. Raises ConnectionClosed."""
        tracker = self.trackers.get(room)
        if tracker and room in self.epochs:
            since = {"epoch": self.epochs[room], "seq": tracker.next_seq - 1}
            self.request("join", room=room, since=since, limit=MAX_RESUMED_CHANGES)
        else:
            self.request("join", room=room)

    def send_message(self, number: int, room: str, text: str) -> None:
        """Send message `number`. Raises ConnectionClosed."""
        self.send(build_command("send", number, room=room, cid=self.idempotency_key(number), body=text))

    def idempotency_key(self, number: int) -> str:
        """Return the same key for a message that is sent again, and another one in every run."""
        return f"{self.plan.key[:8]}-0000-4000-8000-{self.number:06x}{number:06x}"[:36]

    def next_id(self) -> int:
        """Return the id of a command that is not a message."""
        return next(self._ids)

    def request(self, type: str, **fields: Any) -> Reply:
        """Send a command, and wait for its reply.

        Raises:
            ConnectionClosed: the connection has ended, or the server has refused the command.
        """
        number = self.next_id()
        answer = self._answers[number] = AsyncResult()
        try:
            self.send(build_command(type, number, **fields))
            reply: Reply = answer.get()
        finally:
            self._answers.pop(number, None)
        if reply.type == "error":
            self.worker.counters.refused[str(reply.code)] += 1
            if reply.retry_after:
                gevent.sleep(reply.retry_after)
            raise ConnectionClosed(f"{type}: {reply.code}")
        return reply

    # --- what the server sends

    @staticmethod
    def decode_events(payload: bytes) -> list[Event] | None:
        """Return the changes in an `events` frame; None for any other frame. Raises ValueError."""
        return bundled_chat_protocol.decode_events(payload)

    def on_message(self, payload: bytes) -> None:
        """Act on any frame other than `events`."""
        reply = bundled_chat_protocol.decode_reply(payload)
        if reply.type == "ping":
            self.send(build_command("pong", n=reply.n))
        elif reply.type == "joined":
            self.on_joined(reply)
        elif reply.type == "bye":
            self.reconnect_in = reply.reconnect_in or 0.0
        elif reply.type == "left":
            self.worker.counters.other[f"left: {reply.reason}"] += 1
        elif reply.type == "ephemeral":
            self.worker.counters.other["ephemeral"] += 1
        if not isinstance(reply.id, int):
            return
        if reply.id >= FIRST_COMMAND_ID:
            if answer := self._answers.get(reply.id):
                answer.set(reply)
        elif reply.type == "ok" and reply.message and (sent := self.outbox.get(reply.id)):
            self.record_ack(reply.id, sent.room, reply.message.seq)
        elif reply.type == "error":
            self.record_refusal(reply.id, str(reply.code), reply.retry_after)

    def on_joined(self, reply: Reply) -> None:
        """Begin to follow a room, or continue."""
        tracker, room = self.trackers.get(reply.room), reply.room
        is_same_epoch = self.epochs.get(room) == reply.epoch
        self.epochs[room] = reply.epoch
        if tracker is None:
            self.trackers[room] = DeliveryTracker(reply.head + 1, reply.head + 1)
        elif is_same_epoch and reply.recovered:
            self.on_resumed(tracker, reply)
        else:
            self.worker.counters.other["not recovered"] += 1
            record_snapshot(tracker, reply.head)

    def on_resumed(self, tracker: DeliveryTracker, reply: Reply) -> None:
        """Record what the server has sent of the time without a connection."""
        worker, now = self.worker, self.worker.clock.now()
        for event in (event.to_event() for event in reply.events):
            if event.text is None or event.seq is None:
                continue
            if (tag := worker.tagger.read_text(event.text)) is None:
                worker.faults.phantom += 1
                continue
            worker.faults.deliveries += 1
            worker.record_received(event.room, event.seq, tag.user, tag.number)
            worker.recorder.add("recovered", now - tag.due_at)
        record_resume(tracker, [event.seq for event in reply.events], reply.head, worker.faults)

    def on_close(self, code: int, reason: str) -> None:
        """Wake the requests that wait for a reply, and reconnect."""
        for answer in self._answers.values():
            answer.set_exception(ConnectionClosed(f"closed with {code} {reason}"))
        super().on_close(code, reason)
