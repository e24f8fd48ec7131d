"""The scenario `soak`."""

from loadtest.load.plan import Phase
from loadtest.load.scenarios.scenario import Phases, Scenario


class Soak(Scenario):
    """Hours of steady talk: does memory grow, do latencies drift, is one message in a million lost?"""

    name = "soak"
    question = "Does it run for hours without growth of memory?"
    members = 50
    rate = 1.0
    seconds = 4 * 3600.0
    quick = {"rooms": 4, "members": 50, "seconds": 20.0}

    def phases(self) -> Phases:
        """Warm up, then talk for hours."""
        yield self.warm_up()
        yield Phase("soak", self.plan.seconds, self.plan.total_rate)
