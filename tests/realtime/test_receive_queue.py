"""What a client says waits for the application, in order."""

import asyncio

from realtime.connection import ReceiveQueue


async def test_messages_come_in_order_and_wait():
    queue = ReceiveQueue()
    for number in range(3):
        queue.put_nowait({"n": number})
    assert queue.qsize() == 3
    assert [(await queue.get())["n"] for _ in range(3)] == [0, 1, 2]
    assert queue.qsize() == 0


async def test_a_reader_wakes_when_something_comes():
    queue = ReceiveQueue()
    reader = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not reader.done()
    queue.put_nowait({"n": 1})
    queue.put_nowait({"n": 2})
    assert (await reader)["n"] == 1
    assert (await queue.get())["n"] == 2


async def test_a_reader_that_gave_up_loses_nothing():
    queue = ReceiveQueue()
    reader = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    queue.put_nowait({"n": 1})
    assert (await queue.get())["n"] == 1
