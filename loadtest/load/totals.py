"""What the master makes of the workers' reports: totals, a row for each second, figures for each phase."""

import time
from collections import Counter, defaultdict
from typing import Any, TypedDict, cast

from loadtest.core.latency import LatencyHistogram, LatencySummary
from loadtest.load.ack_ledger import AckLedger
from loadtest.load.messages import AckRecord, EventCounters, WorkerReport

OPEN_SECONDS = 3  # the last seconds, to which late reports still belong
COUNTED = ("sent", "acked", "deliveries", "frames", "duplicated", "out_of_order", "phantom")
IN_ROWS = ("delivery", "ack", "caught_up", "page", "lag", "loop")  # latencies that have a value for each second


class Figures(TypedDict):
    """What happened in a stretch of time."""

    sent: int
    acked: int
    deliveries: int
    frames: int
    duplicated: int
    out_of_order: int
    phantom: int
    latency_ms: dict[str, LatencySummary]


class SecondRow(Figures):
    """One second of the run."""

    second: int  # since the run began
    phase: int
    generator_cpu: float  # share of a core, of the busiest worker
    generator_waited: float  # the same for the time it waited for a core
    sockets: int  # in their rooms


class FigureSums:
    """Sums up reports of a stretch of time."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.counters = EventCounters()
        self.latencies: dict[str, LatencyHistogram] = defaultdict(LatencyHistogram)

    def add_report(self, report: WorkerReport) -> None:
        """Add a report."""
        for name in COUNTED:
            self.counts[name] += report[name]  # type: ignore[literal-required]
        self.counters.add(report["counters"])
        for name, encoded in report["latencies"].items():
            self.latencies[name].merge(encoded)

    def summarize(self) -> Figures:
        """Return counts, and percentiles in milliseconds by name of the latency."""
        latency_ms = {name: summary for name, one in self.latencies.items() if (summary := one.summarize())}
        return cast("Figures", {**{name: self.counts[name] for name in COUNTED}, "latency_ms": latency_ms})


class GeneratorState:
    """One worker process as it reports itself.

    Attributes:
        last: its last report; None before the first.
        cpu: share of a core between its last two reports.
        cpu_wait: share of that time in which it waited for a core.
        peak_rss: bytes.
    """

    def __init__(self) -> None:
        self.last: WorkerReport | None = None
        self.cpu = self.cpu_wait = 0.0
        self.peak_rss = 0

    def add_report(self, report: WorkerReport) -> None:
        """Take the next report."""
        if self.last and (passed := (report["at"] - self.last["at"]) / 1e9) > 0:
            self.cpu = (report["cpu"] - self.last["cpu"]) / passed
            self.cpu_wait = (report["cpu_wait"] - self.last["cpu_wait"]) / passed
        self.last = report
        self.peak_rss = max(self.peak_rss, report["rss"])


class _WorkerSecond(TypedDict):
    phase: int
    joined: int
    cpu: float
    cpu_wait: float


class RunTotals:
    """The totals of a run. Call `add_report` for every report, and `close` after the last one.

    Attributes:
        began: the zero of the rows, nanoseconds.
        total: of the whole run.
        measured: of the phases that count.
        phases: by number.
        counting: numbers of the phases that count.
        ledgers: by stream.
        generators: by worker.
        rows: one a second, in order.
        members: sockets in each room, as planned.
        owed: deliveries owed for what has been acknowledged.
    """

    def __init__(self) -> None:
        self.began = time.monotonic_ns()
        self.total = FigureSums()
        self.measured = FigureSums()
        self.phases: dict[int, FigureSums] = defaultdict(FigureSums)
        self.counting: set[int] = set()
        self.ledgers: dict[str, AckLedger] = defaultdict(AckLedger)
        self.generators: dict[str, GeneratorState] = defaultdict(GeneratorState)
        self.rows: list[SecondRow] = []
        self.members: Counter[str] = Counter()
        self.owed = 0
        self._open: dict[int, tuple[FigureSums, dict[str, _WorkerSecond]]] = {}

    def add_report(self, worker: str, report: WorkerReport) -> None:
        """Take a report of a worker."""
        generator = self.generators[worker]
        generator.add_report(report)
        self.total.add_report(report)
        self.phases[report["phase"]].add_report(report)
        if report["phase"] in self.counting:
            self.measured.add_report(report)
        for ack in map(AckRecord._make, report["acks"]):
            self.ledgers[ack.stream].record(ack.seq, ack.user, ack.number, ack.source)
            if ack.source == AckLedger.ACKED:
                self.owed += self.members[ack.stream.partition("/")[0]]
        second = max(0, (report["at"] - self.began) // 1_000_000_000)
        sums, states = self._open.setdefault(second, (FigureSums(), {}))
        sums.add_report(report)
        states[worker] = _WorkerSecond(
            phase=report["phase"], joined=report["joined"], cpu=generator.cpu, cpu_wait=generator.cpu_wait
        )
        self._close_before(second - OPEN_SECONDS)

    def close(self) -> None:
        """Add the rows of the last seconds: no more reports will arrive."""
        self._close_before(float("inf"))

    def _close_before(self, end: float) -> None:
        for second in sorted(one for one in self._open if one < end):
            sums, states = self._open.pop(second)
            figures = sums.summarize()
            shown = {name: figures["latency_ms"][name] for name in IN_ROWS if name in figures["latency_ms"]}
            self.rows.append(
                SecondRow(
                    **{**figures, "latency_ms": shown},  # type: ignore[typeddict-item]
                    second=second,
                    phase=max(state["phase"] for state in states.values()),
                    generator_cpu=max(state["cpu"] for state in states.values()),
                    generator_waited=max(state["cpu_wait"] for state in states.values()),
                    sockets=sum(state["joined"] for state in states.values()),
                )
            )

    # --- the present

    @property
    def registered(self) -> int:
        """Users that have been started."""
        return self._sum("registered")

    @property
    def joined(self) -> int:
        """Users that are in their rooms."""
        return self._sum("joined")

    @property
    def unacked(self) -> int:
        """Messages that were sent and not acknowledged."""
        return self._sum("unacked")

    @property
    def open_seconds(self) -> int:
        """How many seconds `sum_latest` covers."""
        return max(1, len(self._open))

    def sum_latest(self) -> FigureSums:
        """Return the sums of the last seconds."""
        sums = FigureSums()
        for one, _ in self._open.values():
            sums.counts.update(one.counts)
            for name, latencies in one.latencies.items():
                sums.latencies[name].hdr.add(latencies.hdr)
        return sums

    def _sum(self, name: str) -> int:
        found: list[Any] = [one.last[name] for one in self.generators.values() if one.last]  # type: ignore[literal-required]
        return sum(found)
