"""The scenario `storm`."""

from loadtest.load.plan import Phase
from loadtest.load.scenarios.scenario import Phases, Scenario


class Storm(Scenario):
    """While users talk, all connections break at the same moment, and all users reconnect at once and resume.

    What is due meanwhile is sent after the reconnect, and its latency counts from the moment it was due.
    """

    name = "storm"
    question = "How long until all users are back, and have they missed nothing?"
    members = 50
    rate = 1.0
    seconds = 30.0
    quick = {"rooms": 4, "members": 50, "seconds": 12.0}

    def phases(self) -> Phases:
        """Talk for a third of the time, then break all connections and go on talking."""
        third = self.plan.seconds / 3
        yield Phase("before", third, self.plan.total_rate)
        yield Phase("storm", 2 * third, self.plan.total_rate, storm=True)
