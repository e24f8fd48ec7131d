"""The scenarios by name, each in a file of its own."""

from loadtest.load.scenarios.fanout import Fanout
from loadtest.load.scenarios.hot_room import HotRoom
from loadtest.load.scenarios.idle import Idle
from loadtest.load.scenarios.many_rooms import ManyRooms
from loadtest.load.scenarios.ramp import Ramp
from loadtest.load.scenarios.scenario import Scenario
from loadtest.load.scenarios.soak import Soak
from loadtest.load.scenarios.storm import Storm
from loadtest.load.scenarios.user_journey import UserJourney

SCENARIOS: dict[str, type[Scenario]] = {
    one.name: one for one in (Fanout, HotRoom, ManyRooms, Storm, Idle, Ramp, Soak, UserJourney)
}
OLD_SCENARIO_NAMES = {"day": UserJourney.name}  # they work until the next release
