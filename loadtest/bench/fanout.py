"""The comparison: all contenders, in rooms of every size, in several rounds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench.client_process import ClientFailed
from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.registry import LAST_LINE
from loadtest.bench.measure import PHASES, RoomLoad, measure_room
from loadtest.bench.result import TOTAL, RoomResult, find_result, get_figure, merge_rounds
from loadtest.bench.servers import NotStarted, max_members
from loadtest.core.latency import LatencySummary

EMPTY_LOOP_RATE = 15.0  # messages a second


@dataclass
class Comparison:
    """What was measured so far.

    Attributes:
        rounds: results by contender and size of room.
        skipped: contenders and rooms that were not measured, and why.
        empty_loop: latencies of a room of one, for each round.
    """

    rounds: dict[tuple[str, int], list[RoomResult]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    empty_loop: list[LatencySummary | None] = field(default_factory=list)

    @property
    def results(self) -> list[RoomResult]:
        """The medians of the rounds."""
        return [merge_rounds(rounds) for rounds in self.rounds.values()]

    @property
    def empty_loop_ms(self) -> LatencySummary | None:
        """The latency when there is nothing to do, as the median of the rounds."""
        measured = [one for one in self.empty_loop if one]
        return merge_rounds(measured) if measured else None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of BenchResult that belong to the comparison."""
        return {
            "rounds": max((len(rounds) for rounds in self.rounds.values()), default=0),
            "empty_loop_ms": self.empty_loop_ms,
            "results": self.results,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        sizes: of rooms, in members.
        rounds: medians are taken of so many.
        seconds: of each phase.
        phases: of PHASES.
        deadline: of time.monotonic; no measurement starts later.
    """

    sizes: tuple[int, ...] = (10, 100, 1000, 5000)
    rounds: int = 3
    seconds: float = 6
    phases: tuple[str, ...] = PHASES
    deadline: float = float("inf")


def compare_contenders(contenders: Sequence[Contender], effort: Effort) -> Comparison:
    """Measure each contender in turn, round by round, so that a disturbance of the machine meets all of them."""
    comparison = Comparison()
    able = []
    for size in effort.sizes:
        if size > max_members():
            comparison.skipped[f"room of {size}"] = f"the limit on open files allows {max_members():,} members"
    sizes = [size for size in effort.sizes if size <= max_members()]
    for contender in contenders:
        if why := contender.find_obstacle():
            comparison.skipped[contender.name] = why
        else:
            able.append(contender)
    for number in range(effort.rounds):
        comparison.empty_loop.append(measure_empty_loop(effort.seconds))
        for size in sizes:
            for contender in able:
                measure_contender(comparison, contender, size, number, effort)
    return comparison


def measure_contender(comparison: Comparison, contender: Contender, size: int, number: int, effort: Effort) -> None:
    """Measure a contender in one room, and add the result to the comparison; print a line about it.

    Args:
        comparison: is changed.
        contender: is skipped if it could not be measured before.
        size: of the room, in members.
        number: of the round, from 0.
        effort: how much is measured.
    """
    label = f"{contender.name}, room of {size}"
    if contender.name in comparison.skipped or label in comparison.skipped:
        return
    if time.monotonic() > effort.deadline:
        comparison.skipped[label] = "no time was left in the quick run"
        return
    started = time.monotonic()
    print(f"bench: round {number + 1}, {label} ...", end="", flush=True)
    try:
        result = measure_room(contender, RoomLoad.of_size(size, effort.seconds), effort.phases)
    except (NotStarted, ClientFailed) as error:
        comparison.skipped[label] = str(error) or type(error).__name__
        print(f" skipped: {comparison.skipped[label]}", flush=True)
        return
    comparison.rounds.setdefault((contender.name, size), []).append(result)
    totals = ", ".join(
        f"{phase} {get_figure(result, phase, 'us_per_delivery', TOTAL) or 0:.1f}" for phase in effort.phases
    )
    print(f" us: {totals} ({time.monotonic() - started:.0f} s)", flush=True)


def measure_empty_loop(seconds: float) -> LatencySummary | None:
    """Return the latency of a room of one on the smallest server: the part that belongs to the machine."""
    load = RoomLoad(1, low_rate=EMPTY_LOOP_RATE, high_rate=EMPTY_LOOP_RATE, seconds=seconds)
    return measure_room(Broadcast(), load, ("high_rate",))["high_rate"].get("latency_ms")


def format_last_line(results: Sequence[RoomResult], size: int = 1000) -> str:
    """Return the line for scripts: CPU microseconds of all processes for a delivery at the high rate, behind TLS."""
    figures = []
    for key, name in LAST_LINE.items():
        result = find_result(results, name, size)
        total = get_figure(result, "high_rate", "us_per_delivery", TOTAL)
        is_void = bool(get_figure(result, "high_rate", "void"))
        figures.append(f"{key}=none" if total is None or is_void else f"{key}={total:.1f}")
    return f"fanout n={size} total_us {' '.join(figures)}"
