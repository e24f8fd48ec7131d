"""Between a newcomer's look into a stream and the stream itself nothing is lost and nothing is told twice."""

import asyncio
import contextlib
import itertools

import pytest

from realtime import hub as hub_module
from realtime.hub import Hub, StreamLost
from realtime.publisher import ALL_PROCESSES_GROUP
from realtime.stream import CHUNK_SIZE
from tests.clock import quiet
from tests.realtime.fakes import FakeChannelLayer, Listener, Log, announcement, join_stream

# The places where the first join of a stream can be overtaken, in their order.
PLACES = ["before", "joining the group", "before the head", "after the head", "before the look", "after the look"]
NEVER = len(PLACES) + 1


def gates(layer: FakeChannelLayer, log: Log):
    return [layer.joining, log.before_heads, log.after_heads, log.before_snapshot, log.after_snapshot]


async def run(layer: FakeChannelLayer, moves):
    """A first join during which events are committed and announced at the given places. Returns its listener."""
    log = Log()
    hub = Hub(log)
    for gate in gates(layer, log):
        gate.open = False
    events = {}

    async def happen(place):
        for number, (committed, announced) in enumerate(moves):
            if committed == place:
                events[number] = log.commit()
            if announced == place:
                hub.receive(announcement(events[number]))
        await quiet()

    listener = Listener()
    await happen(0)
    joining = asyncio.ensure_future(join_stream(hub, "s", listener, log))
    for place, gate in enumerate(gates(layer, log), 1):
        await quiet()
        await happen(place)
        gate.release()
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS * 2)
    await joining
    await happen(len(PLACES))
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    await hub.close()
    return log, listener


async def test_whenever_two_events_are_committed_and_announced_a_newcomer_has_each_once(layer):
    times = [(c, a) for c in range(len(PLACES) + 1) for a in range(c, NEVER + 1)]
    for first, second in itertools.product(times, times):
        if first[0] > second[0]:
            continue  # the numbers tell the order of the commits
        log, listener = await run(layer, [first, second])
        assert log.head == 2
        told = listener.snapshot.seqs + listener.seqs
        assert (told, listener.lost_streams) == ([1, 2], []), (first, second)


@pytest.mark.parametrize("place", range(len(PLACES)), ids=PLACES)
async def test_what_is_announced_without_a_pause_is_heard_without_waiting_for_the_poll(layer, place):
    log = Log()
    hub = Hub(log)
    for gate in gates(layer, log):
        gate.open = False
    listener = Listener()
    joining = asyncio.ensure_future(join_stream(hub, "s", listener, log))
    for number, gate in enumerate([None, *gates(layer, log)]):
        await quiet()
        if gate:
            gate.release()
        if number == place:
            hub.receive(announcement(log.commit()))
    await joining
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS * 2)
    assert listener.snapshot.seqs + listener.seqs == [1]
    assert hub.heads(["s"]) == {"s": 1}
    await hub.close()


async def test_a_look_that_sees_more_than_the_stream_brings_everybody_up_to_it(join, log):
    hers = await join(1)
    log.commit(), log.commit()
    his = await join(2)
    assert (his.snapshot.head, his.seqs) == (2, [])
    assert hers.seqs == [1, 2]


async def test_a_newcomer_in_the_middle_of_a_burst_follows_without_a_seam(hub, join, log):
    hers = await join(1)
    log.after_snapshot.open = False
    his = Listener(2)
    joining = asyncio.ensure_future(join_stream(hub, "s", his, log))
    await quiet()
    for _ in range(5):
        hub.receive(announcement(log.commit()))
        await quiet()
    log.after_snapshot.release()
    hub.receive(announcement(log.commit()))
    await joining
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(1)
    assert his.snapshot.head == 0
    assert hers.seqs == his.seqs == [1, 2, 3, 4, 5, 6, 7]


async def test_a_newcomer_while_a_round_is_half_handed_out(hub, join, log):
    crowd = [await join(1) for _ in range(CHUNK_SIZE * 2)]
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    handed = sum(bool(listener.seqs) for listener in crowd)
    assert 0 < handed < len(crowd)
    late = await join(2)
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(1)
    assert {tuple(listener.seqs) for listener in crowd} == {(1, 2)}
    assert (late.snapshot.head, late.seqs) == (1, [2])


async def test_newcomers_at_the_same_time_share_one_opening(hub, log, layer):
    crowd = [Listener(key) for key in range(50)]
    layer.joining.open = False
    joining = asyncio.gather(*(join_stream(hub, "s", one, log) for one in crowd))
    await quiet()
    assert len(layer.joining.waiting) == 1
    layer.joining.release()
    await joining
    assert log.head_queries == 1
    hub.receive(announcement(log.commit()))
    await quiet()
    assert all(one.seqs == [1] for one in crowd)


async def test_who_is_taken_out_while_coming_in_is_out(hub, log):
    hers = Listener(1)
    log.after_snapshot.open = False
    joining = asyncio.ensure_future(join_stream(hub, "s", hers, log))
    await quiet()
    hub.receive(announcement(log.commit()))
    hub.receive(announcement(log.commit(removes=1)))
    hub.receive(announcement(log.commit()))
    await quiet()
    log.after_snapshot.release()
    await joining
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(1)
    assert (hers.seqs, hers.removed_from) == ([1, 2], ["s"])


async def test_a_stream_that_restarts_during_a_join_is_lost_for_all_members(hub, join, log):
    hers = await join(1)
    log.epoch = "second"
    his = Listener(2)
    with pytest.raises(StreamLost):
        await join_stream(hub, "s", his, log)
    assert (hers.lost_streams, his.lost_streams, his.snapshot) == (["s"], [], None)
    assert (await join(2)).snapshot.epoch == "second"


@pytest.mark.parametrize("when", ["opening", "looking", "filling"])
async def test_a_database_that_is_away_refuses_the_newcomer_and_nobody_else(hub, join, log, when):
    hers = await join(1) if when != "opening" else None
    his = Listener(2)
    if when == "filling":
        log.commit()
        log.after_snapshot.open = False
        joining = asyncio.ensure_future(join_stream(hub, "s", his, log))
        await quiet()
        log.is_away = True
        log.after_snapshot.release()
    else:
        log.is_away = True
        joining = asyncio.ensure_future(join_stream(hub, "s", his, log))
    with pytest.raises(OSError, match="away"):
        await joining
    log.is_away = False
    again = await join(2)
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(1)
    assert again.snapshot.seqs + again.seqs == list(range(1, log.head + 1))
    assert his.frames == []
    if hers:
        assert hers.seqs == list(range(1, log.head + 1))
        assert hers.lost_streams == []


async def test_who_gives_up_while_coming_in_leaves_nothing_behind(hub, log, layer):
    log.before_snapshot.open = False
    hers = Listener()
    joining = asyncio.ensure_future(join_stream(hub, "s", hers, log))
    await quiet()
    joining.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await joining
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 0.1)
    assert hers.frames == []
    assert hub.heads(["s"]) == {}
    assert layer.groups.keys() == {ALL_PROCESSES_GROUP, "s"}
    assert layer.groups["s"] == set()
