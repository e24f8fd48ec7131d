"""What the master makes of the workers' reports: totals, a row for each second, figures for each phase."""

import time
from collections import Counter, defaultdict
from typing import Any

from loadtest.histogram import Latencies
from loadtest.oracle import Book

LIVE = 3  # seconds whose latencies are still open to late reports
COUNTED = ("sent", "acked", "deliveries", "frames", "duplicated", "out_of_order", "phantom")
NAMED = ("refused", "failed", "closed", "told")


class Figures:
    """Of a stretch of time."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.named: dict[str, Counter[str]] = defaultdict(Counter)
        self.latencies: dict[str, Latencies] = defaultdict(Latencies)

    def add(self, report: dict[str, Any]) -> None:
        for name in COUNTED:
            self.counts[name] += report[name]
        for name in NAMED:
            self.named[name].update(report[name])
        for name, encoded in report["latencies"].items():
            self.latencies[name].merge(encoded)

    def summary(self) -> dict[str, Any]:
        """Counts, and milliseconds by name of what was timed."""
        return {
            **{name: self.counts[name] for name in COUNTED},
            "latency_ms": {name: one.summary() for name, one in self.latencies.items() if one.count},
        }


class Generator:
    """One worker process, as it reports itself."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}
        self.cpu = self.waited = 0.0  # shares of one core in the last second
        self.peak_rss = 0

    def heard(self, report: dict[str, Any]) -> None:
        if self.last and (passed := (report["at"] - self.last["at"]) / 1e9) > 0:
            self.cpu = (report["cpu"] - self.last["cpu"]) / passed
            self.waited = (report["waited"] - self.last["waited"]) / passed
        self.last = report
        self.peak_rss = max(self.peak_rss, report["rss"])


class Tally:
    """Call `heard` for every report."""

    def __init__(self) -> None:
        self.began = time.monotonic_ns()
        self.total = Figures()
        self.measured = Figures()  # of phases that count
        self.phases: dict[int, Figures] = defaultdict(Figures)
        self.counting: set[int] = set()  # numbers of phases that count
        self.books: dict[str, Book] = defaultdict(Book)
        self.generators: dict[str, Generator] = defaultdict(Generator)
        self.rows: list[dict[str, Any]] = []  # one a second, in order
        self._open: dict[int, tuple[Figures, dict[str, dict[str, Any]]]] = {}
        self.members: Counter[str] = Counter()  # sockets in each room
        self.owed = 0  # deliveries, for what has been acked

    def heard(self, worker: str, report: dict[str, Any]) -> None:
        generator = self.generators[worker]
        generator.heard(report)
        self.total.add(report)
        self.phases[report["phase"]].add(report)
        if report["phase"] in self.counting:
            self.measured.add(report)
        for stream, place, user, number, flag in report["notes"]:
            self.books[stream].note(place, user, number, flag)
            if flag == Book.ACKED:
                self.owed += self.members[stream.partition("/")[0]]
        second = max(0, (report["at"] - self.began) // 1_000_000_000)
        figures, states = self._open.setdefault(second, (Figures(), {}))
        figures.add(report)
        states[worker] = {name: report[name] for name in ("phase", "ready")} | {
            "cpu": generator.cpu,
            "waited": generator.waited,
        }
        self._close(before=second - LIVE)

    def _close(self, before: float) -> None:
        for second in sorted(one for one in self._open if one < before):
            figures, states = self._open.pop(second)
            self.rows.append(
                {
                    "second": second,
                    "phase": max(state["phase"] for state in states.values()),
                    **{name: figures.counts[name] for name in COUNTED},
                    "latency_ms": {
                        name: figures.latencies[name].summary()
                        for name in ("delivery", "ack", "caught_up", "page", "lag", "loop")
                        if name in figures.latencies and figures.latencies[name].count
                    },
                    "generator_cpu": max(state["cpu"] for state in states.values()),
                    "generator_waited": max(state["waited"] for state in states.values()),
                    "sockets": sum(state["ready"] for state in states.values()),
                }
            )

    def finish(self) -> None:
        """No more reports come."""
        self._close(before=float("inf"))

    # --- now

    def _sum(self, name: str) -> int:
        return sum(generator.last.get(name, 0) for generator in self.generators.values())

    @property
    def here(self) -> int:
        """Users that have been started."""
        return self._sum("here")

    @property
    def ready(self) -> int:
        """Users that are in."""
        return self._sum("ready")

    @property
    def waiting(self) -> int:
        """Messages that were said and not acked."""
        return self._sum("waiting")

    def latest(self) -> Figures:
        """Of the last seconds that are still open."""
        figures = Figures()
        for one, _ in self._open.values():
            figures.counts.update(one.counts)
            for name, latencies in one.latencies.items():
                figures.latencies[name].hdr.add(latencies.hdr)
        return figures

    @property
    def open_seconds(self) -> int:
        return max(1, len(self._open))
