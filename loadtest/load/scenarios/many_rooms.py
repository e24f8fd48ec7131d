"""The scenario `many-rooms`."""

from loadtest.load.scenarios.fanout import Fanout


class ManyRooms(Fanout):
    """Many small rooms, several for each socket: little fan-out, many transactions and subscriptions."""

    name = "many-rooms"
    question = "What do rooms cost if they have few members?"
    rooms = 500
    members = 4
    rooms_each = 4
    rate = 0.1
    quick = {"rooms": 50, "rate": 0.5, "seconds": 10.0}
