"""An idle process sleeps: it waits for what Redis has to say, and does not keep asking."""

import asyncio
import inspect

import pytest
from channels_redis import pubsub
from redis.asyncio.client import PubSub

from realtime.layer import WAIT, ChannelLayer, Waiting


@pytest.fixture
async def asked(monkeypatch):
    """For how long Redis was asked, each time."""
    found = []

    async def look(self, **how):
        found.append(how["timeout"])
        await asyncio.sleep(how["timeout"])

    async def subscribe(self, *channels):  # needs no Redis
        self.channels.update(dict.fromkeys(channels))

    monkeypatch.setattr(PubSub, "get_message", look)
    monkeypatch.setattr(PubSub, "subscribe", subscribe)
    monkeypatch.setattr(PubSub, "subscribed", property(lambda self: bool(self.channels)))
    return found


async def test_redis_is_asked_once_in_a_while(asked):
    layer = ChannelLayer(hosts=[{"address": "unix:///nowhere"}])
    await layer.new_channel()
    await asyncio.sleep(2.5 * WAIT)
    await layer.flush()
    assert asked == [WAIT] * 3


def test_channels_redis_still_has_what_we_change():
    assert pubsub.RedisSingleShardConnection is Waiting
    theirs = Waiting.__base__
    assert "self._pubsub = self._redis.pubsub()" in inspect.getsource(theirs._ensure_redis)
    assert "timeout=0.1" in inspect.getsource(theirs._do_receiving), "it may wait by itself now"
