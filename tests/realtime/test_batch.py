"""Who asks together is answered together, and nobody waits who does not want to."""

import asyncio

import pytest
import uvloop

from realtime.database import Batch
from tests.clock import quiet


class Desk:
    """Answers every question with itself, and notes what came together, and when."""

    def __init__(self):
        self.batches = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, questions):
        self.batches.append((round(asyncio.get_running_loop().time(), 6), questions))
        await self.open.wait()
        if "fail" in questions:
            raise OSError("away")
        return [ValueError(question) if question == "wrong" else question for question in questions]


@pytest.fixture
async def desk():
    return Desk()


@pytest.fixture
async def batch(desk):
    return Batch(desk, max_size=3)


async def test_one_alone_is_answered_at_once(batch, desk):
    assert await batch.submit("a") == "a"
    assert desk.batches == [(0, ["a"])]


async def test_those_who_come_while_one_is_answered_go_together_next_in_order_and_not_too_many(batch, desk):
    desk.open.clear()
    answers = [batch.submit("a")]
    await quiet()
    answers += [batch.submit(question, wait=1) for question in "bcdef"]  # they have waited enough by then
    await quiet()
    desk.open.set()
    assert await asyncio.gather(*answers) == list("abcdef")
    assert desk.batches == [(0, ["a"]), (0, ["b", "c", "d"]), (0, ["e", "f"])]


async def test_who_can_wait_goes_with_those_who_come_meanwhile(batch, desk):
    first = batch.submit("a", wait=0.03)
    await asyncio.sleep(0.02)
    second = batch.submit("b", wait=0.03)
    assert await asyncio.gather(first, second) == ["a", "b"]
    assert desk.batches == [(0.03, ["a", "b"])]


async def test_the_least_patient_decides(batch, desk):
    answers = [batch.submit("a", wait=0.03), batch.submit("b", wait=0.01)]
    await asyncio.gather(*answers)
    answers = [batch.submit("c", wait=0.03), batch.submit("d")]
    await asyncio.gather(*answers)
    await asyncio.sleep(1)
    assert desk.batches == [(0.01, ["a", "b"]), (0.01, ["c", "d"])]


async def test_each_hears_of_the_failure_that_is_its_own(batch, desk):
    answers = await asyncio.gather(batch.submit("a"), batch.submit("wrong"), return_exceptions=True)
    assert (answers[0], repr(answers[1])) == ("a", "ValueError('wrong')")
    answers = await asyncio.gather(batch.submit("a"), batch.submit("fail"), return_exceptions=True)
    assert [repr(answer) for answer in answers] == ["OSError('away')"] * 2
    assert await batch.submit("b") == "b"


async def test_who_goes_away_holds_up_nobody(batch, desk):
    desk.open.clear()
    gone, stays = batch.submit("a"), batch.submit("b")
    await quiet()
    gone.cancel()
    desk.open.set()
    assert await stays == "b"


def test_the_shortest_wait_is_one_under_uvloop_too():
    """Its timers of less than half a millisecond are no timers."""

    async def together():
        batch = Batch(Desk(), max_size=3)
        return await asyncio.gather(batch.submit("a", wait=1e-5), batch.submit("b", wait=1))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(together()) == ["a", "b"]
