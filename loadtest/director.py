"""The master's part of a run: gathers the workers, plays the phases, settles."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import gevent
from gevent.queue import Empty, Queue

from loadtest import clock
from loadtest.clock import Offset, Sample
from loadtest.generator import MOST_LAG_MS, why_void
from loadtest.oracle import Track, Verdict, judge
from loadtest.plan import Phase, Plan
from loadtest.progress import Progress
from loadtest.scenarios.scenario import Outcome, Scenario
from loadtest.server import Server
from loadtest.tally import Tally

MS = 1_000_000  # nanoseconds
LEAD = 500 * MS  # nanoseconds from telling the workers to the beginning of what they are told
QUESTIONS = 12  # to each worker about its clock
QUIET = 3.0  # seconds without a delivery after which nothing more is expected
HEAD_START = 90  # seconds for processes to appear and for the slowest to come in


class NotReady(Exception):
    """The run could not begin; the text says why."""


class Director:
    """Call `run` once."""

    def __init__(
        self,
        runner: Any,
        plan: Plan,
        scenario: Scenario,
        progress: Progress,
        server: Server | None,
        most_lag_ms: float = MOST_LAG_MS,
    ) -> None:
        self.runner, self.plan, self.scenario, self.progress = runner, plan, scenario, progress
        self.server = server
        self.most_lag_ms = most_lag_ms
        if server:
            server.began = time.monotonic()  # one zero for all rows
        self.tally = Tally()
        self.clocks: dict[str, Offset] = {}
        self.walls: dict[str, float] = {}  # ms by which a worker's wall clock is ahead
        self.phases: list[Phase] = []
        self.verdict: Verdict
        self.unacked = 0
        self.over = False
        self.broken = ""  # why the run cannot go on
        self.spent = {"in": 0.0}  # server's CPU seconds for all to come in
        self._clock: Queue[dict[str, Any]] = Queue()
        self._finals: Queue[dict[str, Any]] = Queue()
        runner.register_message("load_clock", self._on_clock)
        runner.register_message("load_second", lambda msg, **_: self.tally.heard(msg.node_id, msg.data))
        runner.register_message("load_final", lambda msg, **_: self._finals.put(msg.data))
        self.tally.members = Counter(room for user in range(plan.sockets) for room in plan.rooms_of(user))

    def run(self, workers: int) -> None:
        """Everything. Raises NotReady."""
        self._wait(lambda: len(self.runner.clients.ready) >= workers, HEAD_START, "worker processes", workers)
        self.progress.say(f"{workers} worker{'s' * (workers > 1)}, {self.plan.sockets:,} sockets, {self.plan.url}")
        self._compare_clocks()
        gevent.spawn(self._sample_for_ever)
        self.runner.send_message("load_plan", {"plan": self.plan.to_json()})
        self.runner.start(self.plan.sockets, spawn_rate=self.plan.sockets)
        # All of them appear at once; when each comes in is told by the cast.
        self._wait(lambda: self.tally.here >= self.plan.sockets, HEAD_START, "users", self.plan.sockets)
        self._come_in()
        self._play()
        self._settle()

    def _pause(self, seconds: float) -> None:
        """Let the others work. Raises NotReady once something has broken."""
        gevent.sleep(seconds)
        if self.broken:
            raise NotReady(self.broken)

    # --- beginning

    def _wait(self, is_true: Callable[[], bool], seconds: float, what: str, number: int) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise NotReady(f"Not all {number:,} {what} were there within {seconds:.0f} s. {self._complaints()}")
            self.progress.show(self.tally, f"waiting for {what}", deadline - time.monotonic())
            self._pause(0.05)

    def _complaints(self) -> str:
        reasons = self.tally.total.named["failed"] + self.tally.total.named["refused"]
        return "; ".join(f"{count} times: {reason}" for reason, count in reasons.most_common(3))

    def _on_clock(self, msg: Any, **_: Any) -> None:
        self._clock.put(msg.data | {"heard": time.monotonic_ns()})

    def _compare_clocks(self) -> None:
        """Ask each worker for its time, often: the quickest answer says how far its clock is from ours."""
        for worker in sorted(client.id for client in self.runner.clients.ready):
            samples: list[Sample] = []
            for _ in range(QUESTIONS):
                asked, answer = self._ask(worker)
                samples.append(Sample(asked, answer["answered"], answer["heard"]))
                wall = answer["wall"] - (time.time_ns() - (answer["heard"] - asked) // 2)
            measured = Offset.of(samples)
            # On one machine it is the same clock, and what was measured is only the way there and back.
            same = answer["boot"] == clock.boot_id() and abs(measured.nanoseconds) <= 2 * measured.uncertainty + MS
            self.clocks[worker] = replace(measured, nanoseconds=0) if same else measured
            self.walls[worker] = wall / 1e6

    def _ask(self, worker: str) -> tuple[int, dict[str, Any]]:
        """When by our clock, and the answer. A worker that has only just come may not listen yet: ask again."""
        deadline = time.monotonic() + HEAD_START
        while time.monotonic() < deadline:
            asked = time.monotonic_ns()
            self.runner.send_message("load_clock", {"asked": asked}, client_id=worker)
            try:
                while (answer := self._clock.get(timeout=0.5))["asked"] != asked:
                    pass  # to a question that was given up
            except Empty:
                self._pause(0)
            else:
                return asked, answer
        raise NotReady(f"The worker {worker} does not answer.")

    def _come_in(self) -> None:
        before = self._server_cpu()
        starts, first = time.monotonic_ns() + LEAD, 0
        for worker in sorted(self.tally.generators):
            cast = {"first": first, "ahead": self.clocks[worker].nanoseconds, "starts": starts}
            self.runner.send_message("load_cast", cast, client_id=worker)
            first += self.tally.generators[worker].last["here"]
        seconds = self.plan.sockets / self.plan.connect_rate + HEAD_START
        if not self.plan.cookies:
            seconds += self.plan.sockets * 1.2  # a site lets so many guests sign in from one address
        self._wait(lambda: self.tally.ready >= self.plan.sockets, seconds, "sockets", self.plan.sockets)
        self.spent["in"] = self._server_cpu() - before

    # --- phases

    def _play(self) -> None:
        phases = self.scenario.phases()
        try:
            phase = next(phases)
            while True:
                phase = phases.send(self._one(phase))
        except StopIteration:
            return

    def _one(self, phase: Phase) -> Outcome:
        number = len(self.phases)
        phase = replace(phase, starts=time.monotonic_ns() + LEAD)
        self.phases.append(phase)
        if phase.counts:
            self.tally.counting.add(number)
        first_row = len(self.tally.rows)
        self.runner.send_message("load_phase", asdict(phase))
        ends = phase.starts + int(phase.seconds * 1e9)
        while (left := (ends - time.monotonic_ns()) / 1e9) > 0:
            self.progress.show(self.tally, phase.name, left)
            self._pause(min(0.2, left))
        drained = self._drain(phase.name)
        figures = self.tally.phases[number].summary()
        faults = sum(figures[name] for name in ("duplicated", "out_of_order", "phantom"))
        cpu = [row["generator_cpu"] for row in self.tally.rows[first_row:] if row["phase"] == number]
        return Outcome(figures, drained, faults, why_void(figures["latency_ms"], cpu, self.most_lag_ms))

    def _drain(self, name: str) -> bool:
        """Wait until all that was said has arrived; False when it did not."""
        tally, ended = self.tally, time.monotonic_ns()
        deadline = time.monotonic() + self.plan.stop_after
        last, changed = -1, time.monotonic()
        while (now := time.monotonic()) < deadline:
            heard_since = all(one.last["at"] > ended for one in tally.generators.values())
            done = heard_since and tally.waiting == 0 and tally.ready >= self.plan.sockets
            arrived = tally.total.counts["deliveries"] - tally.total.counts["duplicated"]
            if done and self.plan.behaviour != "day" and arrived >= tally.owed:
                return True
            if (sum_now := tally.total.counts["deliveries"] + tally.total.counts["acked"]) != last:
                last, changed = sum_now, now
            elif now - changed > QUIET:
                return done and self.plan.behaviour == "day"
            self.progress.show(tally, f"{name}: waiting for the rest", deadline - now)
            self._pause(0.1)
        return False

    # --- the end

    def _settle(self) -> None:
        self.over = True
        self.runner.send_message("load_settle", {})
        tracks: dict[str, list[Track]] = {}
        unanswered: set[tuple[int, int]] = set()
        for _ in range(len(self.tally.generators)):
            self._wait(lambda: not self._finals.empty(), HEAD_START, "accounts of workers", len(self.tally.generators))
            final = self._finals.get()
            unanswered.update((user, number) for user, number in final["unanswered"])
            for stream, rows in final["tracks"].items():
                for due, start, missing, unsure, skipped, ended in rows:
                    track = Track(due, start, set(missing), set(unsure), set(), [(a, b) for a, b in skipped], ended)
                    tracks.setdefault(stream, []).append(track)
        self.tally.finish()
        self.verdict = judge(self.tally.books, tracks, unanswered)
        self.unacked = len(unanswered)

    # --- the server

    def _server_cpu(self) -> float:
        return sum(one.cpu for one in self.server.usage().values()) if self.server else 0.0

    def _sample_for_ever(self) -> None:
        while self.server and not self.over:
            self.server.sample()
            gevent.sleep(1)
