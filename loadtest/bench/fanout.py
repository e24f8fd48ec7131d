"""The comparison itself: everybody, in rooms of every size, several rounds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench.client_process import ClientFailed
from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.field import LAST_LINE
from loadtest.bench.measure import Load, Result, measure
from loadtest.bench.programs import NotStarted, largest_room
from loadtest.bench.results import found, merged
from loadtest.bench.table import dig

PHASES = ("calm", "brisk", "saturation")


@dataclass
class Fanout:
    """What was measured so far."""

    rounds: dict[tuple[str, int], list[Result]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    empty_loop: list[Result] = field(default_factory=list)

    @property
    def results(self) -> list[Result]:
        return [merged(rounds) for rounds in self.rounds.values()]

    def as_json(self) -> dict[str, Any]:
        return {
            "rounds": max((len(rounds) for rounds in self.rounds.values()), default=0),
            "empty_loop_ms": merged(self.empty_loop) if self.empty_loop else {},
            "results": self.results,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class Effort:
    """How much is measured. Nobody starts after `deadline` (of time.monotonic)."""

    sizes: tuple[int, ...] = (10, 100, 1000, 5000)
    rounds: int = 3
    seconds: float = 6  # of each phase
    phases: tuple[str, ...] = PHASES
    deadline: float = float("inf")


def run(contenders: Sequence[Contender], effort: Effort) -> Fanout:
    """Everybody in turn, then everybody again: what the machine does meanwhile meets all alike."""
    fanout = Fanout()
    able = []
    for size in effort.sizes:
        if size > largest_room():
            fanout.skipped[f"room of {size}"] = f"the limit on open files allows {largest_room():,} members"
    sizes = [size for size in effort.sizes if size <= largest_room()]
    for contender in contenders:
        if why := contender.missing():
            fanout.skipped[contender.name] = why
        else:
            able.append(contender)
    for number in range(effort.rounds):
        fanout.empty_loop.append(empty_loop(effort.seconds))
        for size in sizes:
            for contender in able:
                take_part(fanout, contender, size, number, effort)
    return fanout


def take_part(fanout: Fanout, contender: Contender, size: int, number: int, effort: Effort) -> None:
    label = f"{contender.name}, room of {size}"
    if contender.name in fanout.skipped or label in fanout.skipped:
        return
    if time.monotonic() > effort.deadline:
        fanout.skipped[label] = "no time was left in the quick run"
        return
    began = time.monotonic()
    print(f"bench: round {number + 1}, {label} ...", end="", flush=True)
    try:
        result = measure(contender, Load.of(size, effort.seconds), effort.phases)
    except (NotStarted, ClientFailed) as error:
        fanout.skipped[label] = str(error) or type(error).__name__
        print(f" skipped: {fanout.skipped[label]}", flush=True)
        return
    fanout.rounds.setdefault((contender.name, size), []).append(result)
    totals = ", ".join(f"{phase} {dig(result, phase, 'us', 'total') or 0:.1f}" for phase in effort.phases)
    print(f" us: {totals} ({time.monotonic() - began:.0f} s)", flush=True)


def empty_loop(seconds: float) -> dict[str, float]:
    """Latency when there is nothing to do: a room of one on the barest server. What is below is the machine's."""
    result = measure(Broadcast(), Load(1, calm=15, brisk=15, seconds=seconds), ("brisk",))
    times: dict[str, float] = result["brisk"]["latency_ms"]
    return times


def last_line(results: Sequence[Result], size: int = 1000) -> str:
    """All CPU of servers, nginx and Redis for a delivery at the brisk rate, everybody behind TLS."""
    words = []
    for word, name in LAST_LINE.items():
        result = found(results, name, size)
        total = dig(result, "brisk", "us", "total") if result and not result["brisk"]["void"] else None
        words.append(f"{word}={total:.1f}" if total is not None else f"{word}=none")
    return f"fanout n={size} total_us {' '.join(words)}"
