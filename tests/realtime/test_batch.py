"""Batch runs one function for many items, and an item waits for others only if its caller allows it."""

import asyncio

import pytest
import uvloop

from channels_realtime.database import Batch
from tests.clock import quiet


class RecordingFunction:
    """Returns each item as its own result, and records every batch with its time."""

    def __init__(self):
        self.batches = []
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def __call__(self, items):
        self.batches.append((round(asyncio.get_running_loop().time(), 6), items))
        await self.may_finish.wait()
        if "fail" in items:
            raise OSError("away")
        return [ValueError(item) if item == "wrong" else item for item in items]


@pytest.fixture
async def function():
    return RecordingFunction()


@pytest.fixture
async def batch(function):
    return Batch(function, max_size=3)


async def test_a_single_item_runs_at_once(batch, function):
    assert await batch.submit("a") == "a"
    assert function.batches == [(0, ["a"])]


async def test_items_submitted_while_a_batch_runs_form_the_next_batches_in_order_up_to_the_maximum_size(
    batch, function
):
    function.may_finish.clear()
    results = [batch.submit("a")]
    await quiet()
    results += [batch.submit(item, wait=1) for item in "bcdef"]  # the running batch takes longer than their wait
    await quiet()
    function.may_finish.set()
    assert await asyncio.gather(*results) == list("abcdef")
    assert function.batches == [(0, ["a"]), (0, ["b", "c", "d"]), (0, ["e", "f"])]


async def test_an_item_that_may_wait_shares_its_batch_with_items_submitted_meanwhile(batch, function):
    first = batch.submit("a", wait=0.03)
    await asyncio.sleep(0.02)
    second = batch.submit("b", wait=0.03)
    assert await asyncio.gather(first, second) == ["a", "b"]
    assert function.batches == [(0.03, ["a", "b"])]


async def test_the_item_with_the_shortest_wait_starts_the_batch(batch, function):
    results = [batch.submit("a", wait=0.03), batch.submit("b", wait=0.01)]
    await asyncio.gather(*results)
    results = [batch.submit("c", wait=0.03), batch.submit("d")]
    await asyncio.gather(*results)
    await asyncio.sleep(1)
    assert function.batches == [(0.01, ["a", "b"]), (0.01, ["c", "d"])]


async def test_an_item_gets_its_own_error_and_a_failed_batch_fails_all_its_items(batch, function):
    results = await asyncio.gather(batch.submit("a"), batch.submit("wrong"), return_exceptions=True)
    assert (results[0], repr(results[1])) == ("a", "ValueError('wrong')")
    results = await asyncio.gather(batch.submit("a"), batch.submit("fail"), return_exceptions=True)
    assert [repr(answer) for answer in results] == ["OSError('away')"] * 2
    assert await batch.submit("b") == "b"


async def test_a_cancelled_item_does_not_delay_the_others(batch, function):
    function.may_finish.clear()
    cancelled, other = batch.submit("a"), batch.submit("b")
    await quiet()
    cancelled.cancel()
    function.may_finish.set()
    assert await other == "b"


def test_a_very_short_wait_works_on_uvloop():
    """uvloop rounds a timer of less than half a millisecond to zero."""

    async def submit_two():
        batch = Batch(RecordingFunction(), max_size=3)
        return await asyncio.gather(batch.submit("a", wait=1e-5), batch.submit("b", wait=1))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(submit_two()) == ["a", "b"]
