"""What a client says waits for the application, in order."""

import asyncio

from realtime.inbox import Inbox


async def test_messages_come_in_order_and_wait():
    inbox = Inbox()
    for number in range(3):
        inbox.put_nowait({"n": number})
    assert inbox.qsize() == 3
    assert [(await inbox.get())["n"] for _ in range(3)] == [0, 1, 2]
    assert inbox.qsize() == 0


async def test_a_reader_wakes_when_something_comes():
    inbox = Inbox()
    reader = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    assert not reader.done()
    inbox.put_nowait({"n": 1})
    inbox.put_nowait({"n": 2})
    assert (await reader)["n"] == 1
    assert (await inbox.get())["n"] == 2


async def test_a_reader_that_gave_up_loses_nothing():
    inbox = Inbox()
    reader = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    inbox.put_nowait({"n": 1})
    assert (await inbox.get())["n"] == 1
