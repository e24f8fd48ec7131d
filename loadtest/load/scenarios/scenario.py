"""What a scenario is: a shape of rooms and sockets, and phases that follow each other."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

from loadtest.load.plan import STEADY, Phase, Plan
from loadtest.load.totals import Figures

WARM_UP_SECONDS = 3.0


class RampStep(TypedDict):
    """One step of a ramp."""

    rate: float  # messages a second, of all rooms
    p99_ms: float
    held: bool
    why: str  # it was too much; empty if it held
    void: list[str]


class Knee(TypedDict):
    """What a ramp has found: the highest rate that held."""

    messages_per_s: float
    deliveries_per_s: int
    broke_at: float  # messages a second; 0 if no rate was too high
    why: str
    budget_ms: float
    steps: list[RampStep]


@dataclass(frozen=True)
class Outcome:
    """How a phase went.

    Attributes:
        figures: of the phase.
        is_complete: everything that was sent in it arrived in time.
        faults: deliveries that were duplicated, out of order, or phantoms.
        void: why its figures are the generator's and not the server's.
    """

    figures: Figures
    is_complete: bool
    faults: int
    void: list[str]

    def p99_ms(self, name: str) -> float:
        """Return the p99 of a latency; 0 if it was not measured."""
        latency_ms = self.figures["latency_ms"]
        return latency_ms[name]["p99"] if name in latency_ms else 0.0


Phases = Generator[Phase, Outcome, None]


class Scenario:
    """The default shape of a run, and its phases. Flags and LOAD_ variables change the shape.

    Attributes:
        name: on the command line.
        question: that the scenario answers.
        rooms, members, rooms_each, rate, seconds: the shape, see Plan.
        behaviour: STEADY or USER_JOURNEY.
        quick: the shape with --quick, as far as it differs.
        budget_ms: p99 of delivery that a ramp allows.
        knee: what a ramp has found.
    """

    name: ClassVar[str]
    question: ClassVar[str]
    rooms: ClassVar[int] = 20
    members: ClassVar[int] = 100
    rooms_each: ClassVar[int] = 1
    rate: ClassVar[float] = 5.0
    seconds: ClassVar[float] = 60.0
    behaviour: ClassVar[str] = STEADY
    quick: ClassVar[dict[str, Any]] = {"rooms": 4, "members": 50, "seconds": 8.0}
    budget_ms: float = 250.0

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.knee: Knee | None = None

    def phases(self) -> Phases:
        """Yield each phase, and receive its outcome."""
        raise NotImplementedError

    def warm_up(self) -> Phase:
        """Return a short phase at half the rate that does not count: it fills caches and opens connections."""
        seconds = min(WARM_UP_SECONDS, self.plan.seconds / 4)
        return Phase("warm-up", seconds, self.plan.total_rate / 2, counts=False)
