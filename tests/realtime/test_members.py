"""Who hears what: from the event after the greeting to the one that takes them out."""

import asyncio
import json
from collections import Counter

import pytest

from realtime import hub as hub_module
from realtime import stream as stream_module
from tests.clock import quiet
from tests.realtime.fakes import announcement


async def test_who_is_taken_out_hears_of_it_and_of_nothing_after(hub, join, log):
    hers, his = await join(1), await join(2)
    for event in (log.commit(), log.commit(removes=2), log.commit(), log.commit()):
        hub.receive(announcement(event))
    await quiet()
    assert (hers.seqs, hers.removed_from) == ([1, 2, 3, 4], [])
    assert (his.seqs, his.removed_from) == ([1, 2], ["s"])


async def test_every_socket_of_the_one_who_is_taken_out_is_dropped(hub, join, log):
    phone, desk, other = await join(2), await join(2), await join(1)
    hub.receive(announcement(log.commit(removes=2)))
    await quiet()
    assert phone.removed_from == desk.removed_from == ["s"]
    assert (phone.seqs, other.removed_from) == ([1], [])


async def test_who_comes_again_after_being_taken_out_is_a_member_again(hub, join, log):
    await join(2)
    hub.receive(announcement(log.commit(removes=2)))
    await quiet()
    back = await join(2)
    hub.receive(announcement(log.commit()))
    await quiet()
    assert (back.seqs, back.removed_from) == ([2], [])


async def test_two_are_taken_out_by_the_same_filled_gap(hub, join, log):
    hers, his, other = await join(1), await join(2), await join(3)
    log.commit(removes=1), log.commit(), log.commit(removes=2), log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert (hers.seqs, hers.removed_from) == ([1], ["s"])
    assert (his.seqs, his.removed_from) == ([1, 2, 3], ["s"])
    assert other.seqs == [1, 2, 3, 4]


async def test_who_left_by_closing_hears_nothing_more(hub, join, log):
    hers, his = await join(1), await join(2)
    hub.receive(announcement(log.commit()))  # not yet handed out
    hub.leave("s", his)
    hub.leave("s", his)
    hub.leave("nowhere", his)
    await quiet()
    assert (hers.seqs, his.seqs, his.removed_from) == ([1], [], [])


async def test_what_is_of_this_moment_goes_to_all_at_once_and_is_not_counted(hub, join, log):
    hers, his = await join(1), await join(2)
    hub.receive({"type": "ephemeral", "stream": "s", "text": "typing"})
    assert hers.ephemeral == his.ephemeral == ["typing"]
    assert hub.heads(["s"]) == {"s": 0}
    hub.receive({"type": "ephemeral", "stream": "unknown", "text": "typing"})
    assert hers.ephemeral == ["typing"]


async def test_a_stream_without_members_is_forgotten_at_the_next_poll_and_its_group_left(hub, join, log, layer):
    hers = await join()
    assert len(layer.groups["s"]) == 1
    hub.leave("s", hers)
    asked = log.head_queries
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 3)
    assert (layer.groups["s"], hub.heads(["s"]), log.head_queries) == (set(), {}, asked)
    hub.receive(announcement(log.commit()))
    again = await join()
    assert again.snapshot.seqs == [1]
    assert len(layer.groups["s"]) == 1


async def test_a_big_room_is_served_in_shares_so_that_others_get_their_turn(hub, join, log):
    crowd = [await join() for _ in range(stream_module.CHUNK_SIZE * 3)]
    hub.receive(announcement(log.commit()))
    served = []
    while not served or served[-1] < len(crowd):
        await asyncio.sleep(0)
        served.append(sum(bool(listener.frames) for listener in crowd))
    assert sorted(set(served) - {0}) == [500, 1000, 1500]
    assert len({id(listener.frames[0]) for listener in crowd}) == 1


async def test_who_leaves_between_two_shares_hears_nothing_more(hub, join, log):
    crowd = [await join() for _ in range(stream_module.CHUNK_SIZE + 10)]
    hub.receive(announcement(log.commit()))
    while not crowd[0].frames:
        await asyncio.sleep(0)
    hub.leave("s", crowd[-1])
    await quiet()
    assert [len(listener.frames) for listener in crowd[-3:]] == [1, 1, 0]


async def test_a_busy_stream_shares_frames_and_no_event_waits_longer_than_50_ms(hub, join, log):
    loop, hers = asyncio.get_running_loop(), await join()
    happened, waited = {}, []

    def noted(frame):
        waited.extend(loop.time() - happened[event["seq"]] for event in json.loads(frame.text)["events"])

    hers.on_frame = noted
    began = loop.time()
    for _ in range(1000):  # 200 a second
        await asyncio.sleep(0.005)
        event = log.commit()
        happened[event.seq] = loop.time()
        hub.receive(announcement(event))
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 1001))
    a_second = Counter(int(at - began) for at in {happened[share[-1]] for share in hers.seqs_by_frame})
    assert max(a_second.values()) <= stream_module.FRAMES_PER_SECOND + stream_module.FRAME_BURST
    assert max(waited) <= 0.05 + 1e-6


async def test_a_calm_stream_waits_for_nothing(hub, join, log):
    hers = await join()
    for count in range(1, 20):
        await asyncio.sleep(0.1)
        hub.receive(announcement(log.commit()))
        await quiet()
        assert len(hers.frames) == count


async def test_what_waits_to_be_stored_leaves_in_the_frame_that_it_is_sure_to_reach(hub, join, log):
    loop, hers = asyncio.get_running_loop(), await join()
    happened, waited, asked = {}, [], []

    def noted(frame):
        waited.extend(loop.time() - happened[event["seq"]] for event in json.loads(frame.text)["events"])

    async def store(wait):
        began = loop.time()
        await asyncio.sleep(wait + 0.005)  # the transaction
        event = log.commit()
        happened[event.seq] = began
        hub.receive(announcement(event))

    hers.on_frame = noted
    for _ in range(500):  # 200 a second
        await asyncio.sleep(0.005)
        asked.append(hub.coalescing_delay("s"))
        task = asyncio.ensure_future(store(asked[-1]))
    await task
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 501))
    assert max(waited) <= 1 / stream_module.FRAMES_PER_SECOND + stream_module.COMMIT_SECONDS + 1e-6
    assert (asked[0], max(asked)) == (0, pytest.approx(1 / stream_module.FRAMES_PER_SECOND, abs=0.006))


async def test_nobody_waits_for_a_whole_frame_when_the_next_may_leave_in_a_moment(hub, join, log):
    await join()
    for _ in range(stream_module.FRAME_BURST):
        hub.receive(announcement(log.commit()))
        await quiet()
    assert hub.coalescing_delay("s") > 0
    await asyncio.sleep(1 / stream_module.FRAMES_PER_SECOND - stream_module.COMMIT_SECONDS / 2)
    assert hub.coalescing_delay("s") == 0
    hub.receive(announcement(log.commit()))  # leaves then; who comes now would miss it
    assert hub.coalescing_delay("s") > stream_module.COMMIT_SECONDS


async def test_a_calm_stream_and_an_unknown_one_have_no_coalescing_delay(hub, join, log):
    await join()
    for _ in range(3):
        await asyncio.sleep(0.1)
        hub.receive(announcement(log.commit()))
        assert hub.coalescing_delay("s") == 0
    assert hub.coalescing_delay("unknown") == 0


async def test_sharing_frames_can_be_switched_off(hub, join, log, settings):
    settings.COALESCE = False
    for _ in range(20):
        assert hub.coalescing_delay("s") == 0
    hers = await join()
    for _ in range(100):
        hub.receive(announcement(log.commit()))
        await quiet()
    assert len(hers.frames) == 100


@pytest.fixture(autouse=True)
def loops_clock(monkeypatch):
    """The pace of a stream is kept by the clock of these tests."""
    pace = stream_module.TokenBucket
    monkeypatch.setattr(
        stream_module, "TokenBucket", lambda rate, burst: pace(rate, burst, asyncio.get_running_loop().time)
    )
