"""A user of Parley: signs in as a browser does, joins rooms over parley.v1, resumes where it was."""

import itertools
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from loadtest import oracle, parley_day, parley_protocol
from loadtest.chat_user import ChatUser
from loadtest.connection import Ended
from loadtest.oracle import Event, Track
from loadtest.parley_browser import PATIENCE, Browser
from loadtest.parley_protocol import SUBPROTOCOL, Reply, command
from loadtest.plan import Phase

RESUME = 300  # changes, the most that a server tells to who returns
FIRST_COMMAND = 1 << 40  # ids of commands; below are messages, by their number


class ParleyUser(ChatUser):
    """Each has a session: of the people made ahead, or its own as a guest."""

    abstract = True
    has_days = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.session = ""
        self.epochs: dict[str, str] = {}
        self._ids = itertools.count(FIRST_COMMAND)
        self._answers: dict[int, AsyncResult] = {}

    # --- over HTTP

    def prepare(self) -> None:
        if cookies := self.plan.cookies:
            self.session = cookies[self.number % len(cookies)]
        while not self.session:
            try:
                self.session = Browser(self).sign_in(f"Load {self.number}")
            except Ended as why:
                self.worker.failed[str(why)[:80]] += 1
                gevent.sleep(PATIENCE)

    def live_a_day(self, phase: Phase) -> None:
        parley_day.live(self, phase)

    # --- over the socket

    def enter(self) -> None:
        site = urlsplit(self.plan.url)
        self.open(
            f"{'wss' if site.scheme == 'https' else 'ws'}://{site.netloc}/ws/",
            headers={"Origin": self.plan.url, "Cookie": f"sessionid={self.session}"},
            subprotocols=(SUBPROTOCOL,),
        )
        self.ask("hello", client="loadtest")
        for room in self.rooms:
            self.join(room)

    def join(self, room: str) -> None:
        """Follow a room, from where we were if we have been there. Raises Ended."""
        track = self.tracks.get(room)
        if track and room in self.epochs:
            since = {"epoch": self.epochs[room], "seq": track.due - 1}
            self.ask("join", room=room, since=since, limit=RESUME)
        else:
            self.ask("join", room=room)

    def say(self, number: int, room: str, text: str) -> None:
        self.send(command("send", number, room=room, cid=self.cid(number), body=text))

    def cid(self, number: int) -> str:
        """The same for a message that is said again, another in every run."""
        return f"{self.plan.key[:8]}-0000-4000-8000-{self.number:06x}{number:06x}"[:36]

    def next_id(self) -> int:
        """Of a command that is no message."""
        return next(self._ids)

    def ask(self, type: str, **fields: Any) -> Reply:
        """Send a command and wait for its answer. Raises Ended, also when it is refused."""
        number = self.next_id()
        waiting = self._answers[number] = AsyncResult()
        try:
            self.send(command(type, number, **fields))
            reply: Reply = waiting.get()
        finally:
            self._answers.pop(number, None)
        if reply.type == "error":
            self.worker.refused[str(reply.code)] += 1
            if reply.retry_after:
                gevent.sleep(reply.retry_after)
            raise Ended(f"{type}: {reply.code}")
        return reply

    # --- what comes

    @staticmethod
    def events_in(payload: bytes) -> list[Event] | None:
        return parley_protocol.events_in(payload)

    def on_message(self, payload: bytes) -> None:
        reply = parley_protocol.reply(payload)
        if reply.type == "ping":
            self.send(command("pong", n=reply.n))
        elif reply.type == "joined":
            self.joined(reply)
        elif reply.type == "bye":
            self.reconnect_in = reply.reconnect_in or 0.0
        elif reply.type == "left":
            self.worker.told[f"left: {reply.reason}"] += 1
        elif reply.type == "ephemeral":
            self.worker.told["ephemeral"] += 1
        if not isinstance(reply.id, int):
            return
        if reply.id >= FIRST_COMMAND:
            if waiting := self._answers.get(reply.id):
                waiting.set(reply)
        elif reply.type == "ok" and reply.message and (said := self.outbox.get(reply.id)):
            self.acked(reply.id, said.room, reply.message.seq)
        elif reply.type == "error":
            self.refuse(reply.id, str(reply.code), reply.retry_after)

    def joined(self, reply: Reply) -> None:
        """Begin the track of a room, or go on with it."""
        track, room = self.tracks.get(reply.room), reply.room
        known = self.epochs.get(room) == reply.epoch
        self.epochs[room] = reply.epoch
        if track is None:
            self.tracks[room] = Track(due=reply.head + 1, start=reply.head + 1)
        elif known and reply.recovered:
            self.caught_up(track, reply)
        else:
            self.worker.told["started afresh"] += 1
            oracle.started_afresh(track, reply.head)

    def caught_up(self, track: Track, reply: Reply) -> None:
        worker, now = self.worker, self.worker.clock.now()
        for event in (event.told() for event in reply.events):
            if event.text is None or event.place is None:
                continue
            if (mark := worker.marker.read(event.text)) is None:
                worker.reader.counts.phantom += 1
                continue
            worker.reader.counts.deliveries += 1
            worker.notes.append((event.room, event.place, mark.user, mark.number, oracle.Book.SEEN))
            worker.recorder.add("recovered", now - mark.moment)
        places = [event.seq for event in reply.events]
        oracle.caught_up(track, places, reply.head, worker.reader.counts)

    def on_close(self, code: int, reason: str) -> None:
        for waiting in self._answers.values():
            waiting.set_exception(Ended(f"closed with {code} {reason}"))
        super().on_close(code, reason)
