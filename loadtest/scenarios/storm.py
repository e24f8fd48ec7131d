from loadtest.plan import Phase
from loadtest.scenarios.scenario import Phases, Scenario


class Storm(Scenario):
    """While people talk, every line breaks at the same moment, and everybody comes back at once and resumes.

    What is due meanwhile is said after coming back, and counts from when it was due.
    """

    name = "storm"
    question = "How long until everybody is back and has missed nothing?"
    members = 50
    rate = 1.0
    seconds = 30.0
    quick = {"rooms": 4, "members": 50, "seconds": 12.0}

    def phases(self) -> Phases:
        half = self.plan.seconds / 3
        yield Phase("before", half, self.plan.rate_of_all)
        yield Phase("storm", 2 * half, self.plan.rate_of_all, storm=True)
