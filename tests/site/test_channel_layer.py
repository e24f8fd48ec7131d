"""The channel layer serves what consumers use: groups, single channels, and named channels with workers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from channels.exceptions import ChannelFull

from channels_realtime.channel_layer import ChannelLayer
from tests.site import tutorial
from tests.site.project import Project, receive


@pytest.fixture
async def layers(redis_url) -> AsyncIterator[tuple[ChannelLayer, ChannelLayer]]:
    """The layers of two processes of one site."""
    prefix = uuid4().hex[:8]
    made = (ChannelLayer([redis_url], prefix), ChannelLayer([redis_url], prefix))
    yield made
    for layer in made:
        await layer.flush()


async def next_message(layer, channel):
    async with asyncio.timeout(5):
        return await layer.receive(channel)


async def test_a_group_reaches_all_its_channels_in_both_processes(layers):
    here, there = layers
    channels = [await here.new_channel(), await here.new_channel(), await there.new_channel()]
    for layer, channel in zip((here, here, there), channels, strict=True):
        await layer.group_add("room", channel)
    await there.group_send("room", {"type": "chat.message", "text": "Hello"})
    for layer, channel in zip((here, here, there), channels, strict=True):
        assert await next_message(layer, channel) == {"type": "chat.message", "text": "Hello"}


async def test_a_channel_that_left_the_group_gets_nothing(layers):
    here, there = layers
    member, former = await here.new_channel(), await here.new_channel()
    for channel in (member, former):
        await here.group_add("room", channel)
    await here.group_discard("room", former)
    await there.group_send("room", {"type": "a"})
    assert await next_message(here, member) == {"type": "a"}
    await there.send(former, {"type": "b"})
    assert await next_message(here, former) == {"type": "b"}, "the first that it got"


async def test_a_socket_is_reached_by_its_channels_name_from_another_process(layers):
    here, there = layers
    channel = await here.new_channel()
    await there.send(channel, {"type": "private"})
    assert await next_message(here, channel) == {"type": "private"}


async def test_a_named_channel_keeps_its_messages_until_a_worker_comes_and_one_gets_each(layers):
    here, _ = layers
    for number in range(20):
        await here.send("thumbnails", {"type": "make", "number": number})
    numbers = []

    async def work(layer):
        while len(numbers) < 20:
            numbers.append((await next_message(layer, "thumbnails"))["number"])

    async with asyncio.timeout(10):
        workers = [asyncio.ensure_future(work(layer)) for layer in layers]
        while len(numbers) < 20:
            await asyncio.sleep(0.01)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert sorted(numbers) == list(range(20))


async def test_a_named_channel_that_no_worker_serves_refuses_more_than_its_capacity(redis_url):
    layer = ChannelLayer([redis_url], uuid4().hex[:8], capacity=2)
    for _ in range(2):
        await layer.send("thumbnails", {"type": "make"})
    with pytest.raises(ChannelFull):
        await layer.send("thumbnails", {"type": "make"})
    await layer.flush()


async def test_a_project_keeps_keys_of_its_own_by_the_connection_of_the_layer(layers):
    """Projects borrow it from the layer of channels_redis, with and without `async with`."""
    here, there = layers
    key = f"{here.prefix}:online"
    async with here.connection(0) as client:
        await client.sadd(key, "alice")
    await here.connection(0).sadd(key, "bob")
    assert await there.connection(0).smembers(key) == {b"alice", b"bob"}
    channel = await here.new_channel()
    await there.send(channel, {"type": "still.there"})
    assert await next_message(here, channel) == {"type": "still.there"}
    with pytest.raises(ValueError, match="Redis number 0 alone, not 1"):
        here.connection(1)


async def test_two_sites_with_one_redis_do_not_hear_each_other(redis_url):
    sites = [ChannelLayer([redis_url], uuid4().hex[:8]) for _ in range(2)]
    channels = [await site.new_channel() for site in sites]
    for site, channel in zip(sites, channels, strict=True):
        await site.group_add("room", channel)
    await sites[0].group_send("room", {"type": "of the first"})
    await sites[1].group_send("room", {"type": "of the second"})
    assert (await next_message(sites[1], channels[1]))["type"] == "of the second"
    for site in sites:
        await site.flush()


async def test_more_messages_than_the_core_layer_holds_arrive(layers):
    here, there = layers
    channel = await here.new_channel()
    await here.group_add("room", channel)
    for number in range(1000):
        await there.group_send("room", {"type": "n", "number": number})
    assert [(await next_message(here, channel))["number"] for _ in range(1000)] == list(range(1000))


# --- runworker, the command of Channels

ASGI = tutorial.ASGI.replace(
    "from chat.routing",
    "from channels.routing import ChannelNameRouter\nfrom chat.consumers import Worker\nfrom chat.routing",
).replace('        "http"', '        "channel": ChannelNameRouter({"thumbnails": Worker.as_asgi()}),\n        "http"')
CONSUMERS = """
import json

from channels.consumer import AsyncConsumer
from channels.generic.websocket import AsyncWebsocketConsumer


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()

    async def receive(self, text_data):
        await self.channel_layer.send("thumbnails", {"type": "make", "reply_to": self.channel_name, "text": text_data})

    async def chat_done(self, event):
        await self.send(text_data=json.dumps(event["text"]))


class Worker(AsyncConsumer):
    async def make(self, event):
        await self.channel_layer.send(event["reply_to"], {"type": "chat.done", "text": event["text"].upper()})
"""


async def test_runworker_does_the_work_of_a_socket(tmp_path, redis_url):
    settings = tutorial.SETTINGS.replace('"chat",', '"chat", "channels",')  # it has the command
    files = tutorial.with_files(mysite__settings=settings, mysite__asgi=ASGI, chat__consumers=CONSUMERS)
    project = Project(tmp_path, files, redis_url=redis_url, name=uuid4().hex[:8])
    project.migrate()
    with project.sockets() as server:
        async with server.connect("/ws/chat/harbour/") as client:
            await client.send("before the worker runs")
            worker = subprocess.Popen(  # noqa: ASYNC220  it only starts it
                [sys.executable, "-m", "django", "runworker", "thumbnails"], cwd=project.root, env=project.environment
            )
            try:
                async with asyncio.timeout(20):
                    assert await receive(client) == "BEFORE THE WORKER RUNS"
                    await client.send("now")
                    assert await receive(client) == "NOW"
            finally:
                worker.terminate()
                worker.wait(10)
