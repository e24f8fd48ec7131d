"""The scenario `fanout`."""

from loadtest.load.plan import Phase
from loadtest.load.scenarios.scenario import Phases, Scenario


class Fanout(Scenario):
    """Rooms of equal size, in which all members send in turn."""

    name = "fanout"
    question = "Does every member receive every message, and how soon, at a steady rate?"

    def phases(self) -> Phases:
        """Warm up, then talk."""
        yield self.warm_up()
        yield Phase("talk", self.plan.seconds, self.plan.total_rate)
