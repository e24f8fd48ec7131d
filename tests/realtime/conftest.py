"""A hub in a world of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from channels.layers import channel_layers

from realtime.hub import Hub
from realtime.publisher import publisher
from tests.clock import PatientLoop
from tests.realtime.fakes import Air, Listener, Log


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    """Here time passes only while everybody waits."""
    return {"patient": PatientLoop}


@pytest.fixture
def air() -> Iterator[Air]:
    """The channel layer."""
    layer = Air()
    before = channel_layers.set("default", layer)
    publisher._line, publisher.reachable = None, True
    yield layer
    publisher._line, publisher.reachable = None, True
    if before is None:
        channel_layers.backends.pop("default")
    else:
        channel_layers.set("default", before)


@pytest.fixture
def log() -> Log:
    """The database."""
    return Log()


@pytest.fixture
async def hub(air: Air, log: Log) -> AsyncIterator[Hub]:
    made = Hub(log)
    yield made
    await made.close()


@pytest.fixture
def join(hub: Hub, log: Log) -> Callable[..., Awaitable[Listener]]:
    """`await join(key)`: a listener that is part of the stream."""

    async def joined(key: int = 1) -> Listener:
        listener = Listener(key)
        await hub.join("s", listener, log.look, listener.greet)
        return listener

    return joined
