"""The scenario `ramp`."""

from loadtest.load.plan import Phase
from loadtest.load.scenarios.scenario import Knee, Outcome, Phases, RampStep, Scenario

FACTOR = 1.5  # from one step to the next, until one is too much
CLOSE_ENOUGH = 1.06  # between the highest rate that held and the lowest that was too much
MAX_STEPS = 30
TRIES = 3  # until a step counts as too much: a moment's disturbance is not the knee
MIN_RATE = 0.1  # messages a second


class Ramp(Scenario):
    """Raise the rate until p99 or a fault breaks the budget, then halve the interval in which that happened.

    `--rate` is the first rate, `--seconds` the length of a step, `--budget-ms` the p99 that is allowed. Between two
    steps everything that was sent arrives, so no step pays for the one before.
    """

    name = "ramp"
    question = "How many messages a second can it take?"
    rate = 1.0
    seconds = 8.0
    quick = {"rooms": 4, "members": 50, "rate": 5.0, "seconds": 3.0}

    def phases(self) -> Phases:
        """Warm up, search the knee, then measure a phase at 80% of it."""
        rate = self.plan.total_rate
        held, broke = 0.0, 0.0
        yield self.warm_up()
        steps: list[RampStep] = []
        for number in range(MAX_STEPS):
            phase = Phase(f"step {number + 1}", self.plan.seconds, rate, counts=False)
            for _ in range(TRIES):
                outcome = yield phase
                if not (why := self.find_excess(phase, outcome)):
                    break
            p99 = outcome.p99_ms("delivery")
            steps.append(RampStep(rate=rate, p99_ms=p99, held=not why, why=why, void=outcome.void))
            held, broke = (held, rate) if why else (rate, broke)
            if broke and (held * CLOSE_ENOUGH >= broke or broke < MIN_RATE):
                break
            limit = self.plan.limit * self.plan.sockets
            if not broke and rate >= limit:
                break
            rate = (held * broke) ** 0.5 if broke and held else broke / 4 if broke else min(limit, rate * FACTOR)
        self.knee = Knee(
            messages_per_s=round(held, 2),
            deliveries_per_s=round(held * self.plan.members),
            broke_at=round(broke, 2),
            why=next((step["why"] for step in steps if step["rate"] == broke), "the sockets' own limit"),
            budget_ms=self.budget_ms,
            steps=sorted(steps, key=lambda step: step["rate"]),
        )
        if held:
            yield Phase("at 80% of the knee", self.plan.seconds, 0.8 * held)

    def find_excess(self, phase: Phase, outcome: Outcome) -> str:
        """Return why a step was too much; empty if it held."""
        if outcome.faults:
            return f"{outcome.faults} faults"
        if (p99 := outcome.p99_ms("delivery")) > self.budget_ms:
            return f"p99 was {p99:,.0f} ms"
        if not outcome.is_complete:
            return "not everything arrived in time"
        due, sent = int(phase.seconds * phase.rate), outcome.figures["sent"]
        return f"only {sent} of {due} were sent" if sent < due else ""
