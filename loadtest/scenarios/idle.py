from loadtest.plan import Phase
from loadtest.scenarios.scenario import Phases, Scenario


class Idle(Scenario):
    """Sockets and nothing else; pings are answered."""

    name = "idle"
    question = "What does an open socket cost, and do sockets stay open?"
    rate = 0.0
    quick = {"rooms": 4, "members": 50, "seconds": 10.0}

    def phases(self) -> Phases:
        yield Phase("idle", self.plan.seconds)
