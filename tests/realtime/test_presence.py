"""Who is there, as the members of a stream are told. Here without Redis; tests/stack/test_presence.py is with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from realtime.hub import Hub
from realtime.presence import IDLE, LISTED, ROUND, Presence, Seen
from realtime.publisher import EVERYBODY, publisher
from tests.clock import passing, quiet
from tests.realtime.fakes import Listener


def frames(seen: Mapping[str, Seen]) -> dict[str, str]:
    return {place: json.dumps(one._asdict()) for place, one in seen.items()}


@pytest.fixture
async def presence(hub: Hub) -> AsyncIterator[Presence]:
    made = Presence(hub, frames)
    yield made
    await made.close()


@pytest.fixture
def come(hub: Hub, join) -> Callable:
    async def coming(key: int) -> Listener:
        listener = await join(key)
        listener.active = passing()
        hub.people.come(listener)
        return listener

    return coming


def told(listener: Listener) -> list[dict]:
    return [json.loads(text) for text in listener.whispers]


async def rounds(number: int) -> None:
    await asyncio.sleep(number * ROUND + 0.1)


async def test_everybody_is_told_who_is_there_and_who_went(hub, presence, come):
    ann, ben = await come(1), await come(2)
    await rounds(1)
    assert told(ann) == told(ben) == [{"here": 2, "online": [1, 2], "idle": []}]
    hub.leave("s", ben)
    hub.people.go(ben)
    await rounds(1)
    assert told(ann)[-1] == {"here": 1, "online": [1], "idle": []}
    assert len(told(ben)) == 1


async def test_nobody_is_told_what_they_know_and_a_second_tab_is(presence, come):
    ann = await come(1)
    await rounds(5)
    assert len(told(ann)) == 1
    again = await come(1)
    await rounds(1)
    assert told(again) == [{"here": 1, "online": [1], "idle": []}]


async def test_who_comes_back_alone_is_told_again(hub, presence, come):
    ann = await come(1)
    await rounds(2)
    hub.leave("s", ann)
    hub.people.go(ann)
    await asyncio.sleep(ROUND / 2)  # in which the hub looks through its streams and forgets this one
    assert hub.places() == []
    again = await come(1)
    await rounds(1)
    assert told(again) == [{"here": 1, "online": [1], "idle": []}]


async def test_who_does_nothing_is_idle_until_they_do_something(presence, come):
    ann, ben = await come(1), await come(2)
    await asyncio.sleep(IDLE / 2)
    ben.active = passing()
    await asyncio.sleep(IDLE / 2 + 2 * ROUND)
    assert told(ben)[-1] == {"here": 2, "online": [1, 2], "idle": [1]}
    ann.active = passing()
    await rounds(1)
    assert told(ben)[-1] == {"here": 2, "online": [1, 2], "idle": []}


async def test_a_crowd_is_a_number(presence, come):
    crowd = [await come(key) for key in range(LISTED + 1)]
    await rounds(1)
    assert told(crowd[0])[-1] == {"here": LISTED + 1, "online": None, "idle": None}


async def test_a_thousand_who_come_cost_a_word_each_a_round_and_not_a_word_each_for_each(hub, presence, air, come):
    """O(members), not O(members^2): counted."""
    crowd, came = [], 0
    for key in range(1000):
        crowd.append(await come(key))
        if key % 100 == 99:
            await rounds(1)
            came += 1
    await rounds(1)
    words = sum(len(listener.whispers) for listener in crowd)
    assert words <= len(crowd) * (came + 1)
    assert told(crowd[0])[-1]["here"] == told(crowd[-1])[-1]["here"] == 1000
    assert air.sent == []  # nothing of it goes from process to process


async def test_a_call_reaches_every_socket_of_its_user_and_no_other(hub, come, air):
    ann, again, ben = await come(1), await come(1), await come(2)
    await quiet()
    assert EVERYBODY in air.groups
    publisher.publish({"type": "call", "stream": EVERYBODY, "key": 1, "text": "hello"})
    await quiet()
    assert (ann.whispers, again.whispers, ben.whispers) == (["hello"], ["hello"], [])
    publisher.publish({"type": "call", "stream": EVERYBODY, "key": 2, "text": None})
    await quiet()
    assert (ann.doubts, again.doubts, ben.doubts) == (0, 0, 1)
