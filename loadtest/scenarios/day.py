from loadtest.plan import Phase
from loadtest.scenarios.scenario import Phases, Scenario


class Day(Scenario):
    """What people do: open the page, read, type, post, change rooms, go and come again, over HTTP and wss.

    The rate is that of all posts together, as in the other scenarios; who does what when is drawn beforehand.
    """

    name = "day"
    question = "How is it for people, with everything going on at the same time?"
    rooms = 20
    members = 15
    rate = 0.2
    behaviour = "day"
    quick = {"rooms": 6, "members": 10, "rate": 0.5, "seconds": 15.0}

    def phases(self) -> Phases:
        yield Phase("day", self.plan.seconds, self.plan.rate_of_all)
