"""Messages from a client wait in a queue until the application receives them, in order."""

import asyncio

from realtime.connection import ReceiveQueue


async def test_messages_are_received_in_order():
    queue = ReceiveQueue()
    for number in range(3):
        queue.put_nowait({"n": number})
    assert queue.qsize() == 3
    assert [(await queue.get())["n"] for _ in range(3)] == [0, 1, 2]
    assert queue.qsize() == 0


async def test_a_waiting_reader_wakes_when_a_message_arrives():
    queue = ReceiveQueue()
    reader = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not reader.done()
    queue.put_nowait({"n": 1})
    queue.put_nowait({"n": 2})
    assert (await reader)["n"] == 1
    assert (await queue.get())["n"] == 2


async def test_a_cancelled_reader_loses_no_message():
    queue = ReceiveQueue()
    reader = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    queue.put_nowait({"n": 1})
    assert (await queue.get())["n"] == 1
