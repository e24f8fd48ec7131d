"""A hub with a fake source and a fake channel layer."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from channels.layers import channel_layers

from channels_realtime.hub import Hub
from channels_realtime.publisher import publisher
from tests.clock import PatientLoop
from tests.realtime.fakes import FakeChannelLayer, Listener, Log, join_stream


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    """The clock of these tests advances only while all tasks wait."""
    return {"patient": PatientLoop}


@pytest.fixture
def layer() -> Iterator[FakeChannelLayer]:
    """The channel layer."""
    fake = FakeChannelLayer()
    before = channel_layers.set("default", fake)
    publisher._queue, publisher.is_reachable = None, True
    yield fake
    publisher._queue, publisher.is_reachable = None, True
    if before is None:
        channel_layers.backends.pop("default")
    else:
        channel_layers.set("default", before)


@pytest.fixture
def log() -> Log:
    """The database."""
    return Log()


@pytest.fixture
async def hub(layer: FakeChannelLayer, log: Log) -> AsyncIterator[Hub]:
    made = Hub(log)
    yield made
    await made.close()


@pytest.fixture
def join(hub: Hub, log: Log) -> Callable[..., Awaitable[Listener]]:
    """`await join(key)` returns a listener that is a member of the stream `s`."""

    async def joined(key: int = 1) -> Listener:
        listener = Listener(key)
        await join_stream(hub, "s", listener, log)
        return listener

    return joined
