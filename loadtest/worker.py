"""One worker process's part of a run: what it is told, what it counts, what it reports twice a second."""

import gc
import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event as Signal

from loadtest import clock, proc
from loadtest.histogram import Recorder
from loadtest.mark import Marker
from loadtest.oracle import Book, Event
from loadtest.plan import Phase, Plan
from loadtest.reader import Delivery, Found, Reader

if TYPE_CHECKING:
    from loadtest.chat_user import ChatUser

REPORT_SECONDS = 0.5
HEARTBEAT = 0.02  # seconds; how late it comes is how long everything else had to wait
SCHEDSTAT = Path("/proc/self/schedstat")


class Worker:
    """Set up before the runner starts its users. Messages have names with load_ before them."""

    def __init__(self, runner: Any, events_in: Callable[[bytes], list[Event] | None]) -> None:
        self.runner = runner
        self.events_in = events_in
        self.clock = clock.RunClock()
        self.recorder = Recorder()
        self.reader = Reader(self.study)
        self.reader.delays = self.recorder.quick["delivery"]
        self.plan: Plan
        self.users: list[ChatUser] = []
        self.is_cast = Signal()
        self.starts = 0  # when the first socket of all comes in, by the run's clock
        self.phases: list[Phase] = []
        self.next_phase = Signal()
        self.ready = self.sent = self.acked = 0
        self.refused: Counter[str] = Counter()  # commands, by code
        self.failed: Counter[str] = Counter()  # attempts to come in, by why
        self.closed: Counter[str] = Counter()  # sockets that the server closed, by code
        self.told: Counter[str] = Counter()  # anything else worth a number
        self.notes: list[tuple[str, int, int, int, int]] = []  # stream, place, user, number, Book's flag
        for name in ("clock", "plan", "cast", "phase", "settle"):
            runner.register_message(f"load_{name}", self._listener(getattr(self, f"on_{name}")))

    @staticmethod
    def _listener(method: Callable[[Any], None]) -> Callable[..., None]:
        return lambda msg, **_: method(msg.data)

    # --- as the master speaks

    def on_clock(self, question: dict[str, Any]) -> None:
        self.runner.send_message(
            "load_clock", {**question, "answered": time.monotonic_ns(), "boot": clock.boot_id(), "wall": time.time_ns()}
        )

    def on_plan(self, data: dict[str, Any]) -> None:
        self.plan = Plan.from_json(data["plan"])
        self.marker = Marker(self.plan.key, self.plan.characters)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.reader.start()
        gevent.spawn(self._report_for_ever)
        gevent.spawn(self._beat)

    def on_cast(self, data: dict[str, Any]) -> None:
        """Users get their numbers, and begin to come in."""
        self.clock.ahead, self.starts = data["ahead"], data["starts"]
        for place, user in enumerate(self.users):
            user.number = data["first"] + place
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)  # a pause here would be taken for one of the server
        self.is_cast.set()

    def on_phase(self, data: dict[str, Any]) -> None:
        self.phases.append(Phase(**data))
        signal, self.next_phase = self.next_phase, Signal()
        signal.set()

    def on_settle(self, _: Any) -> None:
        """The run is over: tell where every track of every socket ended."""
        self.report()
        tracks: dict[str, list[list[Any]]] = {}
        for user in self.users:
            for stream, track in user.all_tracks():
                row = [track.due, track.start, sorted(track.missing), sorted(track.unsure), track.skipped, track.ended]
                tracks.setdefault(stream, []).append(row)
        unanswered = [(user.number, number) for user in self.users for number in user.outbox]
        self.runner.send_message("load_final", {"tracks": tracks, "unanswered": unanswered})

    # --- as the users see it

    def enlist(self, user: "ChatUser") -> None:
        """Take part, and wait for a number."""
        self.users.append(user)
        self.is_cast.wait()

    def sleep_until(self, moment: int) -> None:
        """Until then by the run's clock; not at all when that is over."""
        if (left := moment - self.clock.now()) > 0:
            gevent.sleep(left / 1e9)

    def all_phases(self) -> Iterator[Phase]:
        """Each as it is called; never ends by itself."""
        number = 0
        while True:
            while number >= len(self.phases):
                self.next_phase.wait()
            yield self.phases[number]
            number += 1

    def note_ack(self, stream: str, place: int, user: int, number: int) -> None:
        self.acked += 1
        self.notes.append((stream, place, user, number, Book.ACKED))

    def speaker(self, user: int) -> str:
        """The stream of one user's messages, for servers that do not count a room's. Such users are in one room."""
        return f"{self.plan.rooms_of(user)[0]}/{user}"

    # --- as the reader sees it

    def study(self, payload: bytes) -> Found | None:
        """What a frame delivers; None when it is for the user who got it. Nonsense is a phantom."""
        try:
            events = self.events_in(payload)
        except ValueError:  # msgspec's errors are
            return Found(phantoms=(("", None),))
        if events is None:
            return None
        deliveries: list[Delivery] = []
        phantoms: list[tuple[str, int | None]] = []
        for room, place, text in events:
            if text is None:
                if place is not None:
                    deliveries.append(Delivery(room, place, 0))
            elif (mark := self.marker.read(text)) is None:
                phantoms.append((room, place))
            else:
                stream, at = (room, place) if place is not None else (self.speaker(mark.user), mark.number)
                deliveries.append(Delivery(stream, at, self.clock.local(mark.moment)))
                self.notes.append((stream, at, mark.user, mark.number, Book.SEEN))
        messages = sum(delivery.moment > 0 for delivery in deliveries)
        return Found(tuple(deliveries), messages, phantoms=tuple(phantoms))

    # --- as the master hears of it

    def _report_for_ever(self) -> None:
        due = time.monotonic()
        while True:
            due += REPORT_SECONDS
            gevent.sleep(max(0.0, due - time.monotonic()))
            self.report()

    def _beat(self) -> None:
        while True:
            due = time.monotonic_ns() + int(HEARTBEAT * 1e9)
            gevent.sleep(HEARTBEAT)
            self.recorder.add("loop", time.monotonic_ns() - due)

    def report(self) -> None:
        """Send what has happened since the last report."""
        report = {
            "at": self.clock.now(),
            "phase": len(self.phases) - 1,
            "pid": os.getpid(),
            "here": len(self.users),
            "ready": self.ready,
            "waiting": sum(len(user.outbox) for user in self.users),
            "sent": self.sent,
            "acked": self.acked,
            "frames": self.reader.frames,
            **self.reader.counts.take(),
            **{name: dict(getattr(self, name)) for name in ("refused", "failed", "closed", "told")},
            "latencies": self.recorder.take(),
            "notes": self.notes,
            "cpu": time.process_time(),
            "waited": waited_for_cpu(),
            "rss": proc.rss(os.getpid()),
        }
        self.sent = self.acked = self.reader.frames = 0
        for counter in (self.refused, self.failed, self.closed, self.told):
            counter.clear()
        self.notes = []
        self.runner.send_message("load_second", report)


def waited_for_cpu() -> float:
    """Seconds that this process was ready to run and had to wait; 0 where the kernel does not tell."""
    try:
        return int(SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
