"""The channel layer for any project, on a real Redis that is killed and started again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull

from channels_realtime import channel_layer
from channels_realtime.channel_layer import ChannelLayer
from tests.stack.guest import Program, start_redis


@pytest.fixture
def server(tmp_path):
    started = start_redis(tmp_path)
    yield started
    started.stop()


@pytest.fixture
async def layers(server: Program) -> AsyncIterator[list[ChannelLayer]]:
    """Two layers, as two processes have them."""
    made = [make_layer(server) for _ in range(2)]
    yield made
    for layer in made:
        await layer.flush()


def make_layer(server: Program, **options: object) -> ChannelLayer:
    return ChannelLayer(hosts=[f"unix://{server.address}"], prefix="test", **options)


async def join(layer: ChannelLayer, *groups: str) -> str:
    channel = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, channel)
    return channel


async def receive(layer: ChannelLayer, channel: str) -> object:
    async with asyncio.timeout(10):
        return (await layer.receive(channel))["n"]


async def test_a_group_reaches_its_members_in_every_process(layers):
    first, second = layers
    hers, his, other = await join(first, "room"), await join(second, "room"), await join(second, "elsewhere")
    await first.group_send("room", {"type": "x", "n": 1})
    await second.group_send("elsewhere", {"type": "x", "n": 2})
    assert [await receive(first, hers), await receive(second, his), await receive(second, other)] == [1, 1, 2]


async def test_a_member_that_left_receives_nothing(layers):
    first, second = layers
    hers, his = await join(first, "room"), await join(second, "room")
    await first.group_discard("room", hers)
    await second.group_send("room", {"type": "x", "n": 1})
    await second.send(hers, {"type": "x", "n": 2})
    assert (await receive(second, his), await receive(first, hers)) == (1, 2)


async def test_a_message_to_one_consumer_reaches_only_it(layers):
    first, second = layers
    hers, his = await join(first), await join(first)
    await second.send(his, {"type": "x", "n": 2})
    await second.send(hers, {"type": "x", "n": 1})
    assert (await receive(first, hers), await receive(first, his)) == (1, 2)


async def test_a_burst_to_many_members_loses_nothing(layers):
    first, second = layers
    members = [await join(first, "room") for _ in range(50)]
    for number in range(1000):
        await second.group_send("room", {"type": "x", "n": number})
    for member in members:
        assert [await receive(first, member) for _ in range(1000)] == list(range(1000))


async def test_a_consumer_above_its_capacity_loses_the_oldest_with_one_warning(server, caplog):
    layer = make_layer(server, capacity=3)
    member, done = await join(layer, "room"), await join(layer, "room")
    for number in range(10):
        await layer.group_send("room", {"type": "x", "n": number})
        await receive(layer, done)
    assert [await receive(layer, member) for _ in range(3)] == [7, 8, 9]
    assert caplog.messages == ["A consumer has 3 messages waiting, and loses the oldest ones"]
    await layer.flush()


async def test_a_message_in_a_named_channel_waits_and_reaches_one_worker(layers):
    first, second = layers
    for number in range(4):
        await first.send("thumbnails", {"type": "x", "n": number})
    received = [await receive(layer, "thumbnails") for layer in (first, second, first, second)]
    assert received == [0, 1, 2, 3]
    waiting = [asyncio.ensure_future(layer.receive("thumbnails")) for layer in layers]
    await first.send("thumbnails", {"type": "x", "n": 4})
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    assert [task.result()["n"] for task in done] == [4]
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def test_a_full_named_channel_refuses_a_message(server):
    layer = make_layer(server, channel_capacity={"thumb*": 2})
    for number in range(2):
        await layer.send("thumbnails", {"type": "x", "n": number})
    with pytest.raises(ChannelFull):
        await layer.send("thumbnails", {"type": "x", "n": 2})
    await layer.flush()


async def test_members_stay_in_their_groups_while_redis_is_killed_and_started_again(server, layers, caplog):
    first, second = layers
    hers, his = await join(first, "room"), await join(second, "room")
    waiting = [asyncio.ensure_future(receive(first, hers)), asyncio.ensure_future(receive(second, his))]
    worker = asyncio.ensure_future(receive(first, "thumbnails"))
    await asyncio.sleep(0)
    server.kill()
    sent = asyncio.ensure_future(second.group_send("room", {"type": "x", "n": 1}))  # waits for Redis
    named = asyncio.ensure_future(second.send("thumbnails", {"type": "x", "n": 2}))
    await asyncio.wait([sent, named], timeout=0.3)
    assert not sent.done()
    assert not named.done()
    server.start()
    assert await asyncio.gather(*waiting) == [1, 1]
    assert await worker == 2
    await asyncio.gather(sent, named)
    assert {message.partition(";")[0] for message in caplog.messages} == {"Redis is away", "Redis is back."}


async def test_a_consumer_that_connects_while_redis_is_away_receives_when_it_is_back(server, layers, monkeypatch):
    first, second = layers
    server.kill()
    monkeypatch.setitem(channel_layer.DEFAULT_OPTIONS, "socket_connect_timeout", 0.2)
    hers = await join(first, "room")
    server.start()
    await second.group_send("room", {"type": "x", "n": 0})  # may come too early
    receiving = asyncio.ensure_future(receive(first, hers))
    for number in range(1, 100):
        await second.group_send("room", {"type": "x", "n": number})
        if (await asyncio.wait([receiving], timeout=0.1))[0]:
            break
    assert receiving.done()


async def test_a_send_raises_when_redis_stays_away(server, layers, monkeypatch):
    monkeypatch.setattr(channel_layer, "WAIT_SECONDS", 0.3)
    server.kill()
    with pytest.raises(redis.ConnectionError):
        await layers[0].group_send("room", {"type": "x", "n": 1})


def test_synchronous_code_sends_to_a_group_again_and_again(server):
    layer = make_layer(server)

    async def receive_both() -> list[object]:
        member = await join(layer, "room")
        loop = asyncio.get_running_loop()
        for number in (1, 2):
            # A thread without an event loop, as a view under gunicorn.
            await loop.run_in_executor(None, async_to_sync(layer.group_send), "room", {"type": "x", "n": number})
        return [await receive(layer, member) for _ in range(2)]

    assert asyncio.run(receive_both()) == [1, 2]
    assert not layer._layers  # no connection is left of the event loops that have ended
