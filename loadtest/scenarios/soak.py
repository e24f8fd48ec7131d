from loadtest.plan import Phase
from loadtest.scenarios.scenario import Phases, Scenario


class Soak(Scenario):
    """For hours: does memory grow, do latencies drift, is a message lost once in a million?"""

    name = "soak"
    question = "Does it hold for hours, and does memory stay where it is?"
    members = 50
    rate = 1.0
    seconds = 4 * 3600.0
    quick = {"rooms": 4, "members": 50, "seconds": 20.0}

    def phases(self) -> Phases:
        yield self.warm_up()
        yield Phase("soak", self.plan.seconds, self.plan.rate_of_all)
