"""The example in the README of channels_realtime works: a client gets the events it missed, then every new event."""

import json
import re
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator

from channels_realtime.process import close_shared_process
from tests.clock import quiet

README = Path(__file__).parent.parent.parent / "app/channels_realtime/README.md"


@pytest.fixture
async def example(layer):
    """The names that the example defines."""
    (code,) = re.findall(r"```python\n(import json.*?)```", README.read_text(), re.DOTALL)
    names = {}
    exec(code, names)
    yield names
    await close_shared_process()


@pytest.fixture
def post(example, monkeypatch):
    """The example's post_notice, outside a database transaction."""
    monkeypatch.setattr("channels_realtime.publisher.transaction.on_commit", lambda publish: publish())
    return example["post_notice"]


async def connect(example, last):
    client = ApplicationCommunicator(example["application"], {"type": "websocket", "path": "/"})
    await client.send_input({"type": "websocket.connect"})
    assert (await client.receive_output())["type"] == "websocket.accept"
    await client.send_input({"type": "websocket.receive", "text": str(last)})
    return client


async def receive_texts(client):
    frame = json.loads((await client.receive_output())["text"])
    return [event["text"] for event in frame["events"]]


async def test_a_client_receives_the_events_it_missed_and_then_every_new_event(example, post):
    post("one")
    post("two")
    client = await connect(example, last=1)
    assert await receive_texts(client) == ["two"]
    post("three")
    assert await receive_texts(client) == ["three"]


async def test_a_client_that_reconnects_misses_no_event(example, post):
    post("one")
    client = await connect(example, last=0)
    assert await receive_texts(client) == ["one"]
    await client.send_input({"type": "websocket.disconnect", "code": 1006})
    await client.wait()
    post("two")
    await quiet()
    assert await receive_texts(await connect(example, last=1)) == ["two"]
