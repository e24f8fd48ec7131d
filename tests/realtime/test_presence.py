"""The members of a stream receive its presence: without Redis here, with Redis in tests/stack/test_presence.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from channels_realtime.hub import Hub
from channels_realtime.presence import (
    IDLE_AFTER_SECONDS,
    MAX_LISTED_USERS,
    POLL_INTERVAL_SECONDS,
    Presence,
    StreamPresence,
)
from channels_realtime.publisher import ALL_PROCESSES_GROUP, publisher
from tests.clock import passing, quiet
from tests.realtime.fakes import Listener


def message(label: str, presence: StreamPresence) -> str:
    return json.dumps(presence._asdict())


@pytest.fixture
async def presence(hub: Hub) -> AsyncIterator[Presence]:
    made = Presence(hub, message)
    yield made
    await made.close()


@pytest.fixture
def connect(hub: Hub, join) -> Callable:
    async def connected(key: int) -> Listener:
        listener = await join(key)
        listener.active_at = passing()
        hub.users.add(listener)
        return listener

    return connected


def presence_messages(listener: Listener) -> list[dict]:
    return [json.loads(text) for text in listener.ephemeral]


async def wait_for_polls(number: int) -> None:
    await asyncio.sleep(number * POLL_INTERVAL_SECONDS + 0.1)


async def test_members_receive_presence_when_a_user_connects_and_leaves(hub, presence, connect):
    ann, ben = await connect(1), await connect(2)
    await wait_for_polls(1)
    assert presence_messages(ann) == presence_messages(ben) == [{"total": 2, "online": [1, 2], "idle": []}]
    hub.leave("s", ben)
    hub.users.remove(ben)
    await wait_for_polls(1)
    assert presence_messages(ann)[-1] == {"total": 1, "online": [1], "idle": []}
    assert len(presence_messages(ben)) == 1


async def test_presence_is_sent_to_new_connections_and_when_it_changes(presence, connect):
    ann = await connect(1)
    await wait_for_polls(5)
    assert len(presence_messages(ann)) == 1
    again = await connect(1)
    await wait_for_polls(1)
    assert presence_messages(again) == [{"total": 1, "online": [1], "idle": []}]


async def test_a_member_that_reconnects_alone_receives_presence_again(hub, presence, connect):
    ann = await connect(1)
    await wait_for_polls(2)
    hub.leave("s", ann)
    hub.users.remove(ann)
    await asyncio.sleep(POLL_INTERVAL_SECONDS / 2)  # the hub closes the stream
    assert hub.members_by_stream() == []
    again = await connect(1)
    await wait_for_polls(1)
    assert presence_messages(again) == [{"total": 1, "online": [1], "idle": []}]


async def test_a_user_without_commands_is_idle_until_the_next_command(presence, connect):
    ann, ben = await connect(1), await connect(2)
    await asyncio.sleep(IDLE_AFTER_SECONDS / 2)
    ben.active_at = passing()
    await asyncio.sleep(IDLE_AFTER_SECONDS / 2 + 2 * POLL_INTERVAL_SECONDS)
    assert presence_messages(ben)[-1] == {"total": 2, "online": [1, 2], "idle": [1]}
    ann.active_at = passing()
    await wait_for_polls(1)
    assert presence_messages(ben)[-1] == {"total": 2, "online": [1, 2], "idle": []}


async def test_presence_of_many_users_contains_only_their_number(presence, connect):
    listeners = [await connect(key) for key in range(MAX_LISTED_USERS + 1)]
    await wait_for_polls(1)
    assert presence_messages(listeners[0])[-1] == {"total": MAX_LISTED_USERS + 1, "online": None, "idle": None}


async def test_a_thousand_joins_cost_one_message_for_each_member_and_poll(hub, presence, layer, connect):
    """The cost is O(members), not O(members^2)."""
    listeners, polls = [], 0
    for key in range(1000):
        listeners.append(await connect(key))
        if key % 100 == 99:
            await wait_for_polls(1)
            polls += 1
    await wait_for_polls(1)
    sent = sum(len(listener.ephemeral) for listener in listeners)
    assert sent <= len(listeners) * (polls + 1)
    assert presence_messages(listeners[0])[-1]["total"] == presence_messages(listeners[-1])[-1]["total"] == 1000
    assert layer.sent == []  # processes do not send presence to each other


async def test_a_user_announcement_reaches_every_socket_of_that_user_and_no_other(hub, connect, layer):
    ann, again, ben = await connect(1), await connect(1), await connect(2)
    await quiet()
    assert ALL_PROCESSES_GROUP in layer.groups
    publisher.publish({"type": "call", "stream": ALL_PROCESSES_GROUP, "key": 1, "text": "hello"})
    await quiet()
    assert (ann.ephemeral, again.ephemeral, ben.ephemeral) == (["hello"], ["hello"], [])
    publisher.publish({"type": "call", "stream": ALL_PROCESSES_GROUP, "key": 2, "text": None})
    await quiet()
    assert (ann.rechecks, again.rechecks, ben.rechecks) == (0, 0, 1)
