"""Messages from a client wait in a queue until the application receives them, in order."""

import asyncio

import pytest

from channels_realtime.connection import MAX_UNREAD_BYTES, MAX_UNREAD_MESSAGES, ReceiveQueue


async def test_messages_are_received_in_order():
    queue = ReceiveQueue()
    for number in range(3):
        queue.put_nowait({"n": number})
    assert [(await queue.get())["n"] for _ in range(3)] == [0, 1, 2]


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


@pytest.mark.parametrize(
    ("message", "most"),
    [({"text": "x"}, MAX_UNREAD_MESSAGES), ({"bytes": b"x" * 65_536}, 64), ({"text": "x" * MAX_UNREAD_BYTES}, 1)],
)
async def test_a_queue_is_full_above_a_number_of_messages_or_of_bytes(message, most):
    queue = ReceiveQueue()
    for _ in range(most):
        assert not queue.is_full
        queue.put_nowait(message)
    queue.put_nowait(message)
    assert queue.is_full
    await queue.get()
    assert not queue.is_full
