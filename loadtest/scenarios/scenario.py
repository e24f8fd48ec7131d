"""What a scenario is: a shape of rooms and sockets, and phases, one after the other."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, ClassVar

from loadtest.plan import Phase, Plan


@dataclass(frozen=True)
class Outcome:
    """How a phase went."""

    figures: dict[str, Any]  # Figures.summary()
    drained: bool  # everything said in it arrived in time
    faults: int
    void: list[str]  # why its figures are the generator's and not the server's

    def ms(self, name: str, percentile: str = "p99") -> float:
        """A latency; 0 when nothing was timed."""
        return float(self.figures["latency_ms"].get(name, {}).get(percentile, 0.0))


Phases = Generator[Phase, Outcome, None]


class Scenario:
    """A run's shape by default, and its phases. Flags and LOAD_ variables change the shape."""

    name: ClassVar[str]
    question: ClassVar[str]  # that it answers
    rooms: ClassVar[int] = 20
    members: ClassVar[int] = 100
    rooms_each: ClassVar[int] = 1
    rate: ClassVar[float] = 5.0  # messages a second and room
    seconds: ClassVar[float] = 60.0
    behaviour: ClassVar[str] = "steady"
    quick: ClassVar[dict[str, Any]] = {"rooms": 4, "members": 50, "seconds": 8.0}  # with --quick
    budget_ms: float = 250.0  # where it matters; --budget-ms

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found: dict[str, Any] = {}  # what only this scenario finds out; stands in the result

    def phases(self) -> Phases:
        """Yield each phase and get its outcome. A short one warms up first: caches, connections, code that is lazy."""
        raise NotImplementedError

    def warm_up(self) -> Phase:
        """A few seconds at half the rate that count for nothing."""
        seconds = min(3.0, self.plan.seconds / 4)
        return Phase("warm-up", seconds, self.plan.rate_of_all / 2, counts=False)
