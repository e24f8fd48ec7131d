"""The master's part of a run: gather the workers, play the phases, judge the run."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import gevent
from gevent.queue import Empty, Queue

from loadtest.core.oracle import DeliveryTracker
from loadtest.load import messages
from loadtest.load.ack_ledger import Verdict, judge_run
from loadtest.load.clock import Offset, Sample, read_boot_id
from loadtest.load.generator_health import MAX_LAG_MS, find_void_reasons
from loadtest.load.messages import Assignment, ClockAnswer, ClockQuestion, FinalReport, TrackerRow
from loadtest.load.plan import USER_JOURNEY, Phase, Plan
from loadtest.load.progress import Progress
from loadtest.load.scenarios.scenario import Outcome, Scenario
from loadtest.load.server_usage import ServerUsage
from loadtest.load.totals import RunTotals

NANOSECONDS_PER_MS = 1_000_000
LEAD_NS = 500 * NANOSECONDS_PER_MS  # from an announcement to the beginning of what it announces
CLOCK_QUESTIONS = 12  # to each worker
SILENCE_SECONDS = 3.0  # without a delivery, after which no more are expected
WORKER_TIMEOUT_SECONDS = 90  # for processes to appear, and for the slowest users to join
PROJECT_TIMEOUT_SECONDS = 30  # for users that only connect
SIGN_IN_SECONDS = 1.2  # for each user: a site lets so many guests sign in from one address


class NotReady(Exception):
    """The run could not begin, or not go on. The text says why."""


class ReceivedClock(NamedTuple):
    """A worker's answer, and when it arrived."""

    answer: ClockAnswer
    received: int


class Director:
    """Directs one run: call `run` once, then read what it has found.

    Attributes:
        totals: of the workers' reports.
        clocks: how far each worker's clock is ahead.
        wall_clocks_ms: the same for their wall clocks, in milliseconds.
        phases: that were played.
        verdict: of the oracle.
        unacked: messages that were never acknowledged.
        is_over: the last phase has ended.
        failure: why the run cannot go on; set from outside.
        join_cpu_seconds: CPU seconds of the server for all users to join.
    """

    def __init__(
        self,
        runner: Any,
        plan: Plan,
        scenario: Scenario,
        progress: Progress,
        server: ServerUsage | None,
        max_lag_ms: float = MAX_LAG_MS,
    ) -> None:
        self.runner, self.plan, self.scenario, self.progress = runner, plan, scenario, progress
        self.server = server
        self.max_lag_ms = max_lag_ms
        if server:
            server.began = time.monotonic()  # one zero for all rows
        self.totals = RunTotals()
        self.clocks: dict[str, Offset] = {}
        self.wall_clocks_ms: dict[str, float] = {}
        self.phases: list[Phase] = []
        self.verdict: Verdict
        self.unacked = 0
        self.is_over = False
        self.failure = ""
        self.join_cpu_seconds = 0.0
        self._clock_answers: Queue[ReceivedClock] = Queue()
        self._final_reports: Queue[FinalReport] = Queue()
        runner.register_message(messages.CLOCK, self._on_clock)
        runner.register_message(messages.REPORT, lambda msg, **_: self.totals.add_report(msg.node_id, msg.data))
        runner.register_message(messages.FINAL_REPORT, lambda msg, **_: self._final_reports.put(msg.data))
        self.totals.members = Counter(room for user in range(plan.sockets) for room in plan.rooms_of(user))

    def run(self, workers: int) -> None:
        """Play the whole scenario with so many workers.

        Raises:
            NotReady: not all workers, users or sockets appeared, or a worker has ended.
        """
        ready = self.runner.clients
        self._wait(lambda: len(ready.ready) >= workers, WORKER_TIMEOUT_SECONDS, "worker processes", workers)
        self.progress.say(f"{workers} worker{'s' * (workers > 1)}, {self.plan.sockets:,} sockets, {self.plan.url}")
        self._compare_clocks()
        gevent.spawn(self._sample_server_forever)
        self.runner.send_message(messages.PLAN, self.plan.to_json())
        self.runner.start(self.plan.sockets, spawn_rate=self.plan.sockets)
        # Locust starts all users at once; the assignment says when each connects.
        users = self.plan.sockets
        self._wait(lambda: self.totals.registered >= users, WORKER_TIMEOUT_SECONDS, "users", users)
        self._join()
        self._play()
        self._finalize()

    def _pause(self, seconds: float) -> None:
        """Let other greenlets run. Raises NotReady once the run cannot go on."""
        gevent.sleep(seconds)
        if self.failure:
            raise NotReady(self.failure)

    # --- beginning

    def _wait(self, is_true: Callable[[], bool], seconds: float, what: str, number: int) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise NotReady(f"Not all {number:,} {what} were ready within {seconds:.0f} s. {self._list_failures()}")
            self.progress.show(self.totals, f"waiting for {what}", deadline - time.monotonic())
            self._pause(0.05)

    def _list_failures(self) -> str:
        counters = self.totals.total.counters
        reasons = counters.failed + counters.refused
        return "; ".join(f"{count} times: {reason}" for reason, count in reasons.most_common(3))

    def _on_clock(self, msg: Any, **_: Any) -> None:
        self._clock_answers.put(ReceivedClock(msg.data, time.monotonic_ns()))

    def _compare_clocks(self) -> None:
        """Ask each worker for its time several times: the quickest answer says best how far its clock is from ours."""
        for worker in sorted(client.id for client in self.runner.clients.ready):
            samples: list[Sample] = []
            for _ in range(CLOCK_QUESTIONS):
                answer, received = self._ask_clock(worker)
                samples.append(Sample(answer["asked"], answer["answered"], received))
                wall = answer["wall"] - (time.time_ns() - (received - answer["asked"]) // 2)
            measured = Offset.from_samples(samples)
            # On one machine it is the same clock, and what was measured is only the way to the worker and back.
            is_near = abs(measured.nanoseconds) <= 2 * measured.uncertainty + NANOSECONDS_PER_MS
            is_same = answer["boot"] == read_boot_id() and is_near
            self.clocks[worker] = replace(measured, nanoseconds=0) if is_same else measured
            self.wall_clocks_ms[worker] = wall / NANOSECONDS_PER_MS

    def _ask_clock(self, worker: str) -> ReceivedClock:
        """Ask until there is an answer: a worker that has only just appeared may not listen yet."""
        deadline = time.monotonic() + WORKER_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            asked = time.monotonic_ns()
            self.runner.send_message(messages.CLOCK, ClockQuestion(asked=asked), client_id=worker)
            found: ReceivedClock
            try:
                while (found := self._clock_answers.get(timeout=0.5)).answer["asked"] != asked:
                    pass  # the answer to a question that was given up
            except Empty:
                self._pause(0)
            else:
                return found
        raise NotReady(f"The worker {worker} does not answer.")

    def _join(self) -> None:
        """Give the users their numbers, and wait until all of them are in their rooms."""
        before = self._server_cpu()
        starts, first = time.monotonic_ns() + LEAD_NS, 0
        for worker in sorted(self.totals.generators):
            ahead = self.clocks[worker].nanoseconds
            assignment = Assignment(first_user=first, clock_ahead=ahead, starts=starts)
            self.runner.send_message(messages.ASSIGN, assignment, client_id=worker)
            report = self.totals.generators[worker].last
            first += report["registered"] if report else 0
        seconds = self.plan.sockets / self.plan.connect_rate
        if self.plan.project:
            seconds += PROJECT_TIMEOUT_SECONDS
        else:
            seconds += WORKER_TIMEOUT_SECONDS + (0 if self.plan.cookies else self.plan.sockets * SIGN_IN_SECONDS)
        self._wait(self._has_joined, seconds, "sockets", self.plan.sockets)
        self.join_cpu_seconds = self._server_cpu() - before

    def _has_joined(self) -> bool:
        """Return whether all users are in their rooms. Raises NotReady when a project has refused one for good."""
        if self.plan.project and self.totals.total.counters.refused:
            raise NotReady(f"The site refuses {self.plan.url}{self.plan.project.path}: {self._list_failures()}")
        return self.totals.joined >= self.plan.sockets

    # --- phases

    def _play(self) -> None:
        phases = self.scenario.phases()
        try:
            phase = next(phases)
            while True:
                phase = phases.send(self._play_phase(phase))
        except StopIteration:
            return

    def _play_phase(self, phase: Phase) -> Outcome:
        number = len(self.phases)
        phase = replace(phase, starts=time.monotonic_ns() + LEAD_NS)
        self.phases.append(phase)
        if phase.counts:
            self.totals.counting.add(number)
        first_row = len(self.totals.rows)
        self.runner.send_message(messages.PHASE, asdict(phase))
        ends = phase.starts + int(phase.seconds * 1e9)
        while (left := (ends - time.monotonic_ns()) / 1e9) > 0:
            self.progress.show(self.totals, phase.name, left)
            self._pause(min(0.2, left))
        is_complete = self._await_deliveries(phase.name)
        figures = self.totals.phases[number].summarize()
        faults = figures["duplicated"] + figures["out_of_order"] + figures["phantom"]
        cpu = [row["generator_cpu"] for row in self.totals.rows[first_row:] if row["phase"] == number]
        return Outcome(figures, is_complete, faults, find_void_reasons(figures["latency_ms"], cpu, self.max_lag_ms))

    def _await_deliveries(self, name: str) -> bool:
        """Wait until everything that was sent has arrived; return whether it did in time."""
        totals, ended = self.totals, time.monotonic_ns()
        is_journey = self.plan.behaviour == USER_JOURNEY  # users change rooms, so what is owed is not known yet
        deadline = time.monotonic() + self.plan.delivery_timeout
        last, changed = -1, time.monotonic()
        while (now := time.monotonic()) < deadline:
            has_reported = all(one.last and one.last["at"] > ended for one in totals.generators.values())
            done = has_reported and totals.unacked == 0 and totals.joined >= self.plan.sockets
            arrived = totals.total.counts["deliveries"] - totals.total.counts["duplicated"]
            if done and not is_journey and arrived >= totals.owed:
                return True
            if (current := totals.total.counts["deliveries"] + totals.total.counts["acked"]) != last:
                last, changed = current, now
            elif now - changed > SILENCE_SECONDS:
                return done and is_journey
            self.progress.show(totals, f"{name}: waiting for the last deliveries", deadline - now)
            self._pause(0.1)
        return False

    # --- the end

    def _finalize(self) -> None:
        """Gather the trackers of all sockets, and judge the run."""
        self.is_over = True
        self.runner.send_message(messages.FINALIZE, {})
        trackers: dict[str, list[DeliveryTracker]] = {}
        unacked: set[tuple[int, int]] = set()
        workers = len(self.totals.generators)
        for _ in range(workers):
            self._wait(lambda: not self._final_reports.empty(), WORKER_TIMEOUT_SECONDS, "final reports", workers)
            final = self._final_reports.get()
            unacked.update((user, number) for user, number in final["unacked"])
            for stream, rows in final["trackers"].items():
                for row in map(TrackerRow._make, rows):
                    tracker = DeliveryTracker(
                        row.next_seq,
                        row.first_seq,
                        missing=set(row.missing),
                        unverified=set(row.unverified),
                        skipped=[(first, last) for first, last in row.skipped],
                        has_left=row.has_left,
                    )
                    trackers.setdefault(stream, []).append(tracker)
        self.totals.close()
        self.verdict = judge_run(self.totals.ledgers, trackers, unacked)
        self.unacked = len(unacked)

    # --- the server

    def _server_cpu(self) -> float:
        return sum(one.cpu for one in self.server.measure().values()) if self.server else 0.0

    def _sample_server_forever(self) -> None:
        while self.server and not self.is_over:
            self.server.sample()
            gevent.sleep(1)
