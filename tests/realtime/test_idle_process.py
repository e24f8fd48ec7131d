"""An idle process waits for Redis and does not poll it."""

import asyncio

import pytest
from redis.asyncio.client import PubSub

from channels_realtime.internals import POLL_TIMEOUT_SECONDS, ChannelLayer


@pytest.fixture
async def timeouts(monkeypatch):
    """The timeout of each read from Redis."""
    found = []

    async def get_message(self, **options):
        found.append(options["timeout"])
        await asyncio.sleep(options["timeout"])

    async def subscribe(self, *channels):  # needs no Redis
        self.channels.update(dict.fromkeys(channels))

    monkeypatch.setattr(PubSub, "get_message", get_message)
    monkeypatch.setattr(PubSub, "subscribe", subscribe)
    monkeypatch.setattr(PubSub, "subscribed", property(lambda self: bool(self.channels)))
    return found


async def test_an_idle_process_reads_from_redis_with_a_long_timeout(timeouts):
    layer = ChannelLayer(hosts=[{"address": "unix:///nowhere"}])
    await layer.new_channel()
    await asyncio.sleep(2.5 * POLL_TIMEOUT_SECONDS)
    await layer.flush()
    assert timeouts == [POLL_TIMEOUT_SECONDS] * 3
