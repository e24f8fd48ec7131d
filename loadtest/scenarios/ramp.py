from loadtest.plan import Phase
from loadtest.scenarios.scenario import Outcome, Phases, Scenario

FACTOR = 1.5  # from one step to the next, until one breaks the budget
CLOSE_ENOUGH = 1.06  # between the best that held and the least that broke
MOST_STEPS = 30
TRIES = 3  # until a step counts as broken: a moment's disturbance is not the knee


class Ramp(Scenario):
    """Raise the rate until p99 or anything else breaks the budget, then halve the interval in which that happened.

    `--rate` is where it begins, `--seconds` the length of a step, `--budget-ms` what p99 may be. Between two steps
    everything said arrives: no step pays for the one before.
    """

    name = "ramp"
    question = "How many messages a second can it take?"
    rate = 1.0
    seconds = 8.0
    quick = {"rooms": 4, "members": 50, "rate": 5.0, "seconds": 3.0}

    def phases(self) -> Phases:
        rate = self.plan.rate_of_all
        held, broke = 0.0, 0.0
        yield self.warm_up()
        steps = []
        for number in range(MOST_STEPS):
            phase = Phase(f"step {number + 1}", self.plan.seconds, rate, counts=False)
            for _ in range(TRIES):
                outcome = yield phase
                if not (why := self.broken(phase, outcome)):
                    break
            steps.append(
                {"rate": rate, "p99_ms": outcome.ms("delivery"), "held": not why, "why": why, "void": outcome.void}
            )
            held, broke = (held, rate) if why else (rate, broke)
            if broke and (held * CLOSE_ENOUGH >= broke or broke < 0.1):
                break
            limit = self.plan.limit * self.plan.sockets
            if not broke and rate >= limit:
                break
            rate = (held * broke) ** 0.5 if broke and held else broke / 4 if broke else min(limit, rate * FACTOR)
        self.found = {
            "knee": {
                "messages_per_s": round(held, 2),
                "deliveries_per_s": round(held * self.plan.members),
                "broke_at": round(broke, 2),
                "why": next((step["why"] for step in steps if step["rate"] == broke), "the sockets' own limit"),
                "budget_ms": self.budget_ms,
                "steps": sorted(steps, key=lambda step: step["rate"]),
            }
        }
        if held:
            yield Phase("at 80% of the knee", self.plan.seconds, 0.8 * held)

    def broken(self, phase: Phase, outcome: Outcome) -> str:
        """Why this step was too much; empty when it held."""
        if outcome.faults:
            return f"{outcome.faults} faults"
        if (p99 := outcome.ms("delivery")) > self.budget_ms:
            return f"p99 was {p99:,.0f} ms"
        if not outcome.drained:
            return "not everything arrived in time"
        said = int(phase.seconds * phase.rate)
        return f"only {outcome.figures['sent']} of {said} were said" if outcome.figures["sent"] < said else ""
