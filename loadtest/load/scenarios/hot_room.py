"""The scenario `hot-room`."""

from loadtest.load.scenarios.fanout import Fanout


class HotRoom(Fanout):
    """All sockets in one room."""

    name = "hot-room"
    question = "How large may a single room be?"
    rooms = 1
    members = 1000
    rate = 10.0
    quick = {"members": 200, "seconds": 10.0}
