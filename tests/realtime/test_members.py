"""A member receives the events after its snapshot, up to the one that removes it."""

import asyncio
import json
from collections import Counter

import pytest

from channels_realtime import hub as hub_module
from channels_realtime import stream as stream_module
from tests.clock import quiet
from tests.realtime.fakes import announcement


async def test_a_removed_member_receives_that_event_and_nothing_after_it(hub, join, log):
    hers, his = await join(1), await join(2)
    for event in (log.commit(), log.commit(removes=2), log.commit(), log.commit()):
        hub.receive(announcement(event))
    await quiet()
    assert (hers.seqs, hers.removed_from) == ([1, 2, 3, 4], [])
    assert (his.seqs, his.removed_from) == ([1, 2], ["s"])


async def test_removing_a_member_removes_all_sockets_of_that_user(hub, join, log):
    phone, desk, other = await join(2), await join(2), await join(1)
    hub.receive(announcement(log.commit(removes=2)))
    await quiet()
    assert phone.removed_from == desk.removed_from == ["s"]
    assert (phone.seqs, other.removed_from) == ([1], [])


async def test_a_removed_member_that_joins_again_receives_new_events(hub, join, log):
    await join(2)
    hub.receive(announcement(log.commit(removes=2)))
    await quiet()
    again = await join(2)
    hub.receive(announcement(log.commit()))
    await quiet()
    assert (again.seqs, again.removed_from) == ([2], [])


async def test_two_removals_in_the_same_gap_both_take_effect(hub, join, log):
    hers, his, other = await join(1), await join(2), await join(3)
    log.commit(removes=1), log.commit(), log.commit(removes=2), log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert (hers.seqs, hers.removed_from) == ([1], ["s"])
    assert (his.seqs, his.removed_from) == ([1, 2, 3], ["s"])
    assert other.seqs == [1, 2, 3, 4]


async def test_a_member_that_leaves_receives_nothing_more(hub, join, log):
    hers, his = await join(1), await join(2)
    hub.receive(announcement(log.commit()))  # not yet delivered
    hub.leave("s", his)
    hub.leave("s", his)
    hub.leave("nowhere", his)
    await quiet()
    assert (hers.seqs, his.seqs, his.removed_from) == ([1], [], [])


async def test_an_ephemeral_event_reaches_all_members_at_once_and_has_no_sequence_number(hub, join, log):
    hers, his = await join(1), await join(2)
    hub.receive({"type": "ephemeral", "stream": "s", "text": "typing"})
    assert hers.ephemeral == his.ephemeral == ["typing"]
    assert hub.heads(["s"]) == {"s": 0}
    hub.receive({"type": "ephemeral", "stream": "unknown", "text": "typing"})
    assert hers.ephemeral == ["typing"]


async def test_a_stream_without_members_is_closed_and_its_group_left_at_the_next_poll(hub, join, log, layer):
    hers = await join()
    assert len(layer.groups["s"]) == 1
    hub.leave("s", hers)
    queries = log.head_queries
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 3)
    assert (layer.groups["s"], hub.heads(["s"]), log.head_queries) == (set(), {}, queries)
    hub.receive(announcement(log.commit()))
    again = await join()
    assert again.snapshot.seqs == [1]
    assert len(layer.groups["s"]) == 1


async def test_a_large_room_is_served_in_chunks_so_that_other_tasks_can_run(hub, join, log):
    members = [await join() for _ in range(stream_module.CHUNK_SIZE * 3)]
    hub.receive(announcement(log.commit()))
    served = []
    while not served or served[-1] < len(members):
        await asyncio.sleep(0)
        served.append(sum(bool(listener.frames) for listener in members))
    assert sorted(set(served) - {0}) == [500, 1000, 1500]
    assert len({id(listener.frames[0]) for listener in members}) == 1


async def test_a_member_that_leaves_between_two_chunks_receives_nothing_more(hub, join, log):
    members = [await join() for _ in range(stream_module.CHUNK_SIZE + 10)]
    hub.receive(announcement(log.commit()))
    while not members[0].frames:
        await asyncio.sleep(0)
    hub.leave("s", members[-1])
    await quiet()
    assert [len(listener.frames) for listener in members[-3:]] == [1, 1, 0]


async def test_a_busy_stream_coalesces_events_and_no_event_waits_longer_than_50_ms(hub, join, log):
    loop, hers = asyncio.get_running_loop(), await join()
    published_at, waits = {}, []

    def record_waits(frame):
        waits.extend(loop.time() - published_at[event["seq"]] for event in json.loads(frame.text)["events"])

    hers.on_frame = record_waits
    began = loop.time()
    for _ in range(1000):  # 200 a second
        await asyncio.sleep(0.005)
        event = log.commit()
        published_at[event.seq] = loop.time()
        hub.receive(announcement(event))
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 1001))
    frames_by_second = Counter(int(at - began) for at in {published_at[seqs[-1]] for seqs in hers.seqs_by_frame})
    assert max(frames_by_second.values()) <= stream_module.FRAMES_PER_SECOND + stream_module.FRAME_BURST
    assert max(waits) <= 0.05 + 1e-6


async def test_a_calm_stream_sends_every_event_at_once(hub, join, log):
    hers = await join()
    for count in range(1, 20):
        await asyncio.sleep(0.1)
        hub.receive(announcement(log.commit()))
        await quiet()
        assert len(hers.frames) == count


async def test_a_message_delayed_before_its_commit_still_reaches_the_next_frame(hub, join, log):
    loop, hers = asyncio.get_running_loop(), await join()
    submitted_at, waits, delays = {}, [], []

    def record_waits(frame):
        waits.extend(loop.time() - submitted_at[event["seq"]] for event in json.loads(frame.text)["events"])

    async def store(wait):
        began = loop.time()
        await asyncio.sleep(wait + 0.005)  # the transaction
        event = log.commit()
        submitted_at[event.seq] = began
        hub.receive(announcement(event))

    hers.on_frame = record_waits
    for _ in range(500):  # 200 a second
        await asyncio.sleep(0.005)
        delays.append(hub.coalescing_delay("s"))
        task = asyncio.ensure_future(store(delays[-1]))
    await task
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 501))
    assert max(waits) <= 1 / stream_module.FRAMES_PER_SECOND + stream_module.COMMIT_SECONDS + 1e-6
    assert (delays[0], max(delays)) == (0, pytest.approx(1 / stream_module.FRAMES_PER_SECOND, abs=0.006))


async def test_the_coalescing_delay_is_zero_when_the_next_frame_is_due(hub, join, log):
    await join()
    for _ in range(stream_module.FRAME_BURST):
        hub.receive(announcement(log.commit()))
        await quiet()
    assert hub.coalescing_delay("s") > 0
    await asyncio.sleep(1 / stream_module.FRAMES_PER_SECOND - stream_module.COMMIT_SECONDS / 2)
    assert hub.coalescing_delay("s") == 0
    hub.receive(announcement(log.commit()))  # is sent when due; a message submitted now would miss that frame
    assert hub.coalescing_delay("s") > stream_module.COMMIT_SECONDS


async def test_calm_and_unknown_streams_have_no_coalescing_delay(hub, join, log):
    await join()
    for _ in range(3):
        await asyncio.sleep(0.1)
        hub.receive(announcement(log.commit()))
        assert hub.coalescing_delay("s") == 0
    assert hub.coalescing_delay("unknown") == 0


async def test_coalescing_can_be_switched_off(hub, join, log, settings):
    settings.CHANNELS_REALTIME = {"COALESCE": False}
    for _ in range(20):
        assert hub.coalescing_delay("s") == 0
    hers = await join()
    for _ in range(100):
        hub.receive(announcement(log.commit()))
        await quiet()
    assert len(hers.frames) == 100


@pytest.fixture(autouse=True)
def use_loop_clock(monkeypatch):
    """Let the token bucket of a stream use the clock of the test's event loop."""
    token_bucket = stream_module.TokenBucket
    monkeypatch.setattr(
        stream_module, "TokenBucket", lambda rate, burst: token_bucket(rate, burst, asyncio.get_running_loop().time)
    )
