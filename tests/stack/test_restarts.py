"""After a restart of a server, clients resume without loss, and a drain tells them when to reconnect."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidMessage

from tests.chat_client import ChatClient
from tests.running import Stack


@pytest.fixture
def room():
    return f"ferry-{uuid4().hex[:6]}"


async def test_a_client_resumes_without_loss_after_its_daphne_was_killed(stack: Stack, room):
    ann, ben = stack.people("ann", "ben")
    async with await stack.connect(ann, through="ws1") as hers:
        async with await stack.connect(ben, through="ws2") as his:
            for client in (hers, his):
                await client.join(room)
            await hers.post(room, "before")
            await his.wait_for_message(room, "before")
            known = his.rooms
            stack.kill("ws2", hold=True)
            assert await his.wait_closed() == 1006
        await hers.post(room, "meanwhile")
        stack.release("ws2")
        async with await reconnect(stack, ben, "ws2") as back:
            back.rooms = known
            assert (await back.join(room, resume=True))["recovered"]
            assert [post["body"] for post in back.rooms[room].posts] == ["before", "meanwhile"]
            await hers.post(room, "after")
            await back.wait_for_message(room, "after")


async def test_sigterm_sends_bye_to_every_socket_and_closes_it_with_1012(stack: Stack, room):
    names = [f"guest{number}" for number in range(20)]
    clients = [await stack.connect(cookie, through="ws1") for cookie in stack.people(*names)]
    for client in clients:
        await client.__aenter__()
        await client.join(room)
    os.kill(stack.pid("ws1"), signal.SIGTERM)
    for client in clients:
        assert await client.wait_closed() == 1012
        bye = client.frames[-1]
        assert (bye["type"], bye["code"]) == ("bye", 1012)
        assert 0 < bye["reconnect_in"] < 5
        await client.__aexit__(None, None, None)
    (cookie,) = stack.people(names[0])
    async with await reconnect(stack, cookie, "ws1") as back:
        assert back.welcome["user"]["name"] == names[0]


async def reconnect(stack: Stack, cookie: str, through: str) -> ChatClient:
    """Return a client through this daphne as soon as it serves again."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await stack.connect(cookie, through=through)
            except (OSError, EOFError, InvalidMessage):  # the last: a killed process still closes its files
                await asyncio.sleep(0.05)
