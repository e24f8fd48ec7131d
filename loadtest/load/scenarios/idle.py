"""The scenario `idle`."""

from loadtest.load.plan import Phase
from loadtest.load.scenarios.scenario import Phases, Scenario


class Idle(Scenario):
    """Open sockets that only answer pings."""

    name = "idle"
    question = "What does an open socket cost, and do sockets stay open?"
    rate = 0.0
    quick = {"rooms": 4, "members": 50, "seconds": 10.0}

    def phases(self) -> Phases:
        """Do nothing."""
        yield Phase("idle", self.plan.seconds)
