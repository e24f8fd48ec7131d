from loadtest.plan import Phase
from loadtest.scenarios.scenario import Phases, Scenario


class Fanout(Scenario):
    """Rooms of equal size in which everybody speaks in turn."""

    name = "fanout"
    question = "Does every member get every message, and how soon, at a steady rate?"

    def phases(self) -> Phases:
        yield self.warm_up()
        yield Phase("talk", self.plan.seconds, self.plan.rate_of_all)
