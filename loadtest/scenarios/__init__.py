"""The scenarios by name, each in a file of its own."""

from loadtest.scenarios.day import Day
from loadtest.scenarios.fanout import Fanout
from loadtest.scenarios.hot_room import HotRoom
from loadtest.scenarios.idle import Idle
from loadtest.scenarios.many_rooms import ManyRooms
from loadtest.scenarios.ramp import Ramp
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.soak import Soak
from loadtest.scenarios.storm import Storm

SCENARIOS: dict[str, type[Scenario]] = {
    one.name: one for one in (Fanout, HotRoom, ManyRooms, Storm, Idle, Ramp, Soak, Day)
}
