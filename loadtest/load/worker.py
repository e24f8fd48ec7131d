"""One worker process's part of a run: what the master tells it, what it counts, what it reports twice a second."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import gevent
from gevent.event import Event as GeventEvent

from loadtest.core.host import raise_file_limit
from loadtest.core.latency import LatencyRecorder
from loadtest.core.message_tag import MessageTagger
from loadtest.core.oracle import DeliveryTracker, Event, FaultCounts
from loadtest.core.processes import Process, measure_cpu_wait, measure_usage
from loadtest.core.socket_loop import DecodedFrames, Delivery
from loadtest.load import messages
from loadtest.load.ack_ledger import AckLedger
from loadtest.load.clock import RunClock, read_boot_id
from loadtest.load.gevent_loop import GeventLoop
from loadtest.load.messages import AckRecord, Assignment, ClockAnswer, ClockQuestion, EventCounters, TrackerRow
from loadtest.load.plan import Phase, Plan

REPORT_INTERVAL_SECONDS = 0.5
LOOP_PROBE_SECONDS = 0.02  # how late such a timer is, is how long everything else had to wait


class RegisteredUser(Protocol):
    """What a worker has to know of its users."""

    number: int

    @property
    def outbox(self) -> Mapping[int, object]:
        """Messages that were sent and not acknowledged, by number."""

    def all_trackers(self) -> Iterator[tuple[str, DeliveryTracker]]:
        """Yield stream and tracker of everything that the user's sockets have followed."""


class Worker:
    """The part of a run that one process plays. Make it before the runner starts its users.

    Attributes:
        clock: the run's.
        recorder: latencies of this process.
        loop: reads the sockets of all users.
        plan: of the run, once the master has sent it.
        tagger: writes and verifies messages of this run.
        users: in the order in which they registered.
        starts: when the first socket of all connects, by the run's clock.
        joined: users that are in their rooms.
        sent: messages since the last report.
        counters: events since the last report.
        acks: messages acknowledged and received since the last report.
    """

    def __init__(self, runner: Any, decode_events: Callable[[bytes], list[Event] | None]) -> None:
        self.runner = runner
        self.decode_events = decode_events
        self.clock = RunClock()
        self.recorder = LatencyRecorder()
        self.loop = GeventLoop(self._decode)
        self.loop.delays = self.recorder.buckets["delivery"]
        self.plan: Plan
        self.tagger: MessageTagger
        self.users: list[RegisteredUser] = []
        self.starts = 0
        self.joined = self.sent = 0
        self.counters = EventCounters()
        self.acks: list[AckRecord] = []
        self._acked = 0
        self._phases: list[Phase] = []
        self._is_assigned = GeventEvent()
        self._next_phase = GeventEvent()
        self._process = Process()
        handlers: dict[str, Callable[[Any], None]] = {
            messages.CLOCK: self._answer_clock,
            messages.PLAN: self._take_plan,
            messages.ASSIGN: self._assign,
            messages.PHASE: self._take_phase,
            messages.FINALIZE: self._finalize,
        }
        for name, handler in handlers.items():
            runner.register_message(name, self._listener(handler))

    @property
    def faults(self) -> FaultCounts:
        """Deliveries and faults since the last report."""
        return self.loop.counts

    @staticmethod
    def _listener(handler: Callable[[Any], None]) -> Callable[..., None]:
        return lambda msg, **_: handler(msg.data)

    # --- messages of the master

    def _answer_clock(self, question: ClockQuestion) -> None:
        answer = ClockAnswer(**question, answered=time.monotonic_ns(), boot=read_boot_id(), wall=time.time_ns())
        self.runner.send_message(messages.CLOCK, answer)

    def _take_plan(self, fields: dict[str, Any]) -> None:
        self.plan = Plan.from_json(fields)
        self.tagger = MessageTagger(self.plan.key, self.plan.characters)
        raise_file_limit()
        self.loop.start()
        gevent.spawn(self._report_forever)
        gevent.spawn(self._probe_loop_forever)

    def _assign(self, assignment: Assignment) -> None:
        """Give the users their numbers; they begin to connect."""
        self.clock.ahead, self.starts = assignment["clock_ahead"], assignment["starts"]
        for place, user in enumerate(self.users):
            user.number = assignment["first_user"] + place
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)  # a pause of this process would look like one of the server
        self._is_assigned.set()

    def _take_phase(self, fields: dict[str, Any]) -> None:
        self._phases.append(Phase(**fields))
        signal, self._next_phase = self._next_phase, GeventEvent()
        signal.set()

    def _finalize(self, _: Any) -> None:
        """Report where every tracker of every socket ended: the run is over."""
        self.report()
        trackers: dict[str, list[TrackerRow]] = {}
        for user in self.users:
            for stream, one in user.all_trackers():
                row = TrackerRow(
                    one.next_seq, one.first_seq, sorted(one.missing), sorted(one.unverified), one.skipped, one.has_left
                )
                trackers.setdefault(stream, []).append(row)
        unacked = [(user.number, number) for user in self.users for number in user.outbox]
        self.runner.send_message(messages.FINAL_REPORT, messages.FinalReport(trackers=trackers, unacked=unacked))

    # --- what users call

    def register(self, user: RegisteredUser) -> None:
        """Take part in the run, and wait for a number."""
        self.users.append(user)
        self._is_assigned.wait()

    def sleep_until(self, time_ns: int) -> None:
        """Sleep until this time of the run's clock; return at once if it is over."""
        if (left := time_ns - self.clock.now()) > 0:
            gevent.sleep(left / 1e9)

    def iterate_phases(self) -> Iterator[Phase]:
        """Yield each phase when the master announces it. Never ends."""
        number = 0
        while True:
            while number >= len(self._phases):
                self._next_phase.wait()
            yield self._phases[number]
            number += 1

    def record_ack(self, stream: str, seq: int, user: int, number: int) -> None:
        """Record that the server has acknowledged a message as this sequence number."""
        self._acked += 1
        self.acks.append(AckRecord(stream, seq, user, number, AckLedger.ACKED))

    def record_received(self, stream: str, seq: int, user: int, number: int) -> None:
        """Record that a message was received with this sequence number."""
        self.acks.append(AckRecord(stream, seq, user, number, AckLedger.RECEIVED))

    def sender_stream(self, user: int) -> str:
        """Return the stream of one user's messages, for a server that does not number a room's changes.

        Users of such servers are in one room each.
        """
        return f"{self.plan.rooms_of(user)[0]}/{user}"

    # --- what the socket loop calls

    def _decode(self, payload: bytes) -> DecodedFrames | None:
        """Return what a frame delivers; None if it is for the user that received it. Raises ValueError."""
        events = self.decode_events(payload)
        if events is None:
            return None
        deliveries: list[Delivery] = []
        phantoms: list[tuple[str, int | None]] = []
        for room, seq, text in events:
            if text is None:
                if seq is not None:
                    deliveries.append(Delivery(room, seq, 0))
            elif (tag := self.tagger.read_text(text)) is None:
                phantoms.append((room, seq))
            else:
                stream, at = (room, seq) if seq is not None else (self.sender_stream(tag.user), tag.number)
                deliveries.append(Delivery(stream, at, self.clock.to_local(tag.due_at)))
                self.record_received(stream, at, tag.user, tag.number)
        count = sum(delivery.due_at > 0 for delivery in deliveries)
        return DecodedFrames(tuple(deliveries), count, phantoms=tuple(phantoms))

    # --- reports

    def _report_forever(self) -> None:
        due = time.monotonic()
        while True:
            due += REPORT_INTERVAL_SECONDS
            gevent.sleep(max(0.0, due - time.monotonic()))
            self.report()

    def _probe_loop_forever(self) -> None:
        while True:
            due = time.monotonic_ns() + int(LOOP_PROBE_SECONDS * 1e9)
            gevent.sleep(LOOP_PROBE_SECONDS)
            self.recorder.add("loop", time.monotonic_ns() - due)

    def report(self) -> None:
        """Send what has happened since the last report."""
        report = messages.WorkerReport(
            at=self.clock.now(),
            phase=len(self._phases) - 1,
            registered=len(self.users),
            joined=self.joined,
            unacked=sum(len(user.outbox) for user in self.users),
            sent=self.sent,
            acked=self._acked,
            frames=self.loop.frames,
            counters=self.counters.to_json(),
            latencies=self.recorder.take(),
            acks=self.acks,
            cpu=time.process_time(),
            cpu_wait=measure_cpu_wait(),
            rss=measure_usage([self._process]).rss,
            **self.faults.take(),
        )
        self.sent = self._acked = self.loop.frames = 0
        self.counters.clear()
        self.acks = []
        self.runner.send_message(messages.REPORT, report)
