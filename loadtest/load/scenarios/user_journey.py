"""The scenario `user-journey`."""

from loadtest.load.plan import USER_JOURNEY, Phase
from loadtest.load.scenarios.scenario import Phases, Scenario


class UserJourney(Scenario):
    """What people do in a browser: sign in, open pages, read, type, post, change rooms, leave and return.

    The rate is that of all posts together, as in the other scenarios. Each user's actions are scheduled beforehand.
    """

    name = "user-journey"
    question = "How is it for people, with everything going on at the same time?"
    rooms = 20
    members = 15
    rate = 0.2
    behaviour = USER_JOURNEY
    quick = {"rooms": 6, "members": 10, "rate": 0.5, "seconds": 15.0}

    def phases(self) -> Phases:
        """One phase."""
        yield Phase("user journey", self.plan.seconds, self.plan.total_rate)
