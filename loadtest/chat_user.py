"""Somebody in a chat, for any server: comes in, speaks when it is due, comes back when the line drops.

For another server override `enter`, `say` and `events_in`; see examples/channels_tutorial.py. The schedule does not
look at replies: what is due while the server is slow, or the line is down, keeps its moment, and latencies count
from there.
"""

import random
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import gevent
from locust import task

from loadtest.connection import Ended, Opened, Refused
from loadtest.mark import Mark
from loadtest.oracle import Event, Track
from loadtest.plan import Phase, Plan
from loadtest.reader import Reader
from loadtest.websocket_user import WebSocketUser
from loadtest.worker import Worker

ENTER_SECONDS = 60  # for one attempt to come in
FINAL = range(4400, 4500)  # close codes after which coming back is no use


class Said(NamedTuple):
    """A message on its way."""

    room: str
    text: str
    moment: int  # when it was due, by the run's clock


class ChatUser(WebSocketUser):
    """`number` is the user's own, of all workers; `rooms` where it is."""

    abstract = True
    acks: ClassVar[bool] = True  # the server answers a message with its place in the room
    has_days: ClassVar[bool] = False  # live_a_day is there
    worker: ClassVar[Worker]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.number = -1
        self.rooms: list[str] = []
        self.outbox: dict[int, Said] = {}  # by number: said, and not acked
        self.said = 0
        self.is_in = False
        self.leaving = False
        self.reconnect_in = 0.0  # seconds; as the server asks, before it closes
        self.past: list[tuple[str, Track]] = []  # tracks of sockets that have left for good

    # --- to override

    def prepare(self) -> None:
        """Once, before the first connection: sign in. May wait."""

    def enter(self) -> None:
        """Connect, and be in all rooms when this returns. May wait. Raises OSError, Refused or Ended."""
        raise NotImplementedError

    def say(self, number: int, room: str, text: str) -> None:
        """Send the message. Must not wait. Raises Ended."""
        raise NotImplementedError

    @staticmethod
    def events_in(payload: bytes) -> list[Event] | None:
        """What a frame tells of rooms; None when it is for on_message. Raises ValueError for nonsense."""
        raise NotImplementedError

    def live_a_day(self, phase: Phase) -> None:
        """Come and go, read and write as people do, until the phase is over."""
        raise NotImplementedError

    # --- to call

    @property
    def plan(self) -> Plan:
        return self.worker.plan

    def open(self, url: str, **options: Any) -> Opened:
        """connect(), measured."""
        opened = self.connect(url, **options)
        self.worker.recorder.add("connect", opened.connect)
        self.worker.recorder.add("handshake", opened.handshake)
        return opened

    def acked(self, number: int, room: str, place: int) -> None:
        """The server has answered message `number`."""
        if said := self.outbox.pop(number, None):
            self.worker.note_ack(room, place, self.number, number)
            self.worker.recorder.add("ack", self.worker.clock.now() - said.moment)

    def refuse(self, number: int, code: str, retry_after: float | None) -> None:
        """The server has refused message `number`; said again after so many seconds, if that is of use."""
        self.worker.refused[code] += 1
        if retry_after is None:
            self.outbox.pop(number, None)
        else:
            gevent.spawn_later(retry_after, self._say_again, number)

    # --- a life

    @task
    def live(self) -> None:
        self.worker.enlist(self)
        self.rooms = self.plan.rooms_of(self.number)
        self.worker.sleep_until(self.worker.starts + int(self.number * 1e9 / self.plan.connect_rate))
        self.prepare()
        self.come_in()
        for phase in self.worker.all_phases():
            self.take_part(phase)

    def take_part(self, phase: Phase) -> None:
        if self.plan.behaviour == "day":
            self.live_a_day(phase)
            return
        if phase.storm:
            self.worker.sleep_until(phase.starts)
            self.lose_the_line(phase.starts)
        for due in phase.due(self.number, self.plan.sockets):
            self.worker.sleep_until(due)
            self.post(due)

    def post(self, moment: int, room: str = "") -> None:
        """Say something that was due at this moment of the run's clock."""
        worker = self.worker
        if not self.is_in and not self.acks:  # such a server would never tell whether it came through
            worker.refused["not connected"] += 1
            return
        number = self.said
        said = Said(
            room or self.rooms[number % len(self.rooms)], worker.marker.text(Mark(self.number, number, moment)), moment
        )
        self.said += 1
        worker.sent += 1
        worker.recorder.add("lag", worker.clock.now() - moment)
        if self.acks:
            self.outbox[number] = said
        if self.is_in:
            self._say(number, said)

    def _say(self, number: int, said: Said) -> None:
        try:
            self.say(number, said.room, said.text)
        except Ended:
            return  # coming back says it again
        if not self.acks:
            self.worker.note_ack(self.worker.speaker(self.number), number, self.number, number)

    def _say_again(self, number: int) -> None:
        if self.is_in and (said := self.outbox.get(number)):
            self._say(number, said)

    # --- coming, going, coming back

    def come_in(self, away_since: int | None = None) -> None:
        """Try until we are in. `away_since`: when the line broke; the time until everything is caught up is kept."""
        tries = 0
        while not self.is_in:
            try:
                with gevent.Timeout(ENTER_SECONDS, TimeoutError("nobody let us in")):
                    self.enter()
                self.is_in = self.connection is not None
            except (OSError, Refused, Ended) as error:
                self.disconnect()
                reason = str(error) if isinstance(error, Refused) else type(error).__name__
                self.worker.failed[reason[:80]] += 1
                delay, self.reconnect_in = self.reconnect_in or min(5.0, 0.1 * 2**tries), 0.0
                gevent.sleep(delay * random.uniform(0.5, 1))  # noqa: S311
                tries += 1
        self.worker.ready += 1
        if away_since is not None:
            self.worker.recorder.add("caught_up", self.worker.clock.now() - away_since)
        for number, said in list(self.outbox.items()):
            if self.is_in:
                self._say(number, said)

    def lose_the_line(self, moment: int) -> None:
        """As a broken network does; and come back at once."""
        if self.is_in:
            self.disconnect()
            self._away(moment, 0)

    def _away(self, since: int, delay: float) -> None:
        self.is_in = False
        self.worker.ready -= 1
        gevent.spawn_later(delay, self.come_in, since)

    def go_home(self) -> None:
        """Leave for good, politely. What comes later is not owed."""
        self.disconnect(1000)
        self.worker.ready -= self.is_in
        self.is_in = False
        for stream, track in self.tracks.items():
            track.ended = True
            self.past.append((stream, track))
        self.tracks = {}

    def on_close(self, code: int, reason: str) -> None:
        self.worker.closed[str(code)] += 1
        if not self.is_in:
            return  # whoever waits for an answer hears of it
        delay, self.reconnect_in = self.reconnect_in or random.uniform(0, 0.5), 0.0  # noqa: S311
        if code in FINAL:
            self.is_in = False
            self.worker.ready -= 1
            self.worker.failed[f"closed with {code} {reason}"[:80]] += 1
        else:
            self._away(self.worker.clock.now(), delay)

    # --- as others see us

    def reader(self) -> Reader:
        return self.worker.reader

    def new_track(self, stream: str, place: int) -> Track:
        """Where the server does not count, everybody is in before the first message, and owed all of them."""
        room = stream.partition("/")[0]
        if self.acks or room not in self.rooms:
            self.worker.reader.counts.phantom += 1  # of a room where we are not
            return Track(due=place, start=place, ended=True)
        track = self.tracks[stream] = Track(due=0, start=0)
        return track

    def all_tracks(self) -> Iterator[tuple[str, Track]]:
        if not self.acks:
            for user in range(self.plan.sockets):
                if self.plan.rooms_of(user) == self.rooms:
                    self.tracks.setdefault(self.worker.speaker(user), Track(due=0, start=0))
        yield from self.past
        yield from self.tracks.items()

    @property
    def verify(self) -> bool:  # type: ignore[override]  # of all users alike
        return self.plan.verify
