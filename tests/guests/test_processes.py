"""The processes of the manifest: what a Celery task and a channel worker send arrives in browsers' sockets."""

import json

import pytest

from tests.guests.conftest import Enter
from tests.guests.guests import Notifications

pytestmark = pytest.mark.guests("notifications")


async def test_a_notice_that_a_celery_task_stored_arrives(enter: Enter, guest: Notifications, text: str) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    his = await bob.connect("/ws/notices/")
    hers = await alice.connect("/ws/notices/")
    await guest.send(alice, hers, text, to=bob)
    assert json.loads(await his.receive())["notice"] == f"{alice.name}: {text}"
    assert text in (await bob.get("/")).text
    assert text not in (await alice.get("/")).text


async def test_an_answer_of_the_channel_worker_arrives(enter: Enter, guest: Notifications, text: str) -> None:
    alice = await enter("alice")
    socket = await alice.connect("/ws/notices/")
    await socket.send(json.dumps({"command": "count"}))
    assert json.loads(await socket.receive()) == {"count": 0}
    await guest.send(alice, socket, text, to=alice)
    assert guest.decode(await socket.receive()) == text
    await socket.send(json.dumps({"command": "count"}))
    assert json.loads(await socket.receive()) == {"count": 1}
