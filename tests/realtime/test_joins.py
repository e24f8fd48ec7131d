"""A new member receives each event exactly once: in its snapshot or live."""

import asyncio
import contextlib
import itertools

import pytest

from channels_realtime import hub as hub_module
from channels_realtime.hub import Hub, StreamLost
from channels_realtime.publisher import ALL_PROCESSES_GROUP
from channels_realtime.stream import CHUNK_SIZE
from tests.clock import quiet
from tests.realtime.fakes import FakeChannelLayer, Listener, Log, announcement, join_stream

# The points at which an event can be stored or published during the first join of a stream, in their order.
POINTS = [
    "before",
    "joining the group",
    "before the head",
    "after the head",
    "before the snapshot",
    "after the snapshot",
]
NEVER = len(POINTS) + 1


def gates(layer: FakeChannelLayer, log: Log):
    return [layer.joining, log.before_heads, log.after_heads, log.before_snapshot, log.after_snapshot]


async def run(layer: FakeChannelLayer, times):
    """Join a stream while events are committed and published at the given points. Returns the log and the listener."""
    log = Log()
    hub = Hub(log)
    for gate in gates(layer, log):
        gate.open = False
    events = {}

    async def apply_events(point):
        for number, (committed, published) in enumerate(times):
            if committed == point:
                events[number] = log.commit()
            if published == point:
                hub.receive(announcement(events[number]))
        await quiet()

    listener = Listener()
    await apply_events(0)
    joining = asyncio.ensure_future(join_stream(hub, "s", listener, log))
    for point, gate in enumerate(gates(layer, log), 1):
        await quiet()
        await apply_events(point)
        gate.release()
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS * 2)
    await joining
    await apply_events(len(POINTS))
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    await hub.close()
    return log, listener


async def test_a_new_member_receives_each_event_once_whenever_two_events_are_committed_and_published(layer):
    times = [(c, p) for c in range(len(POINTS) + 1) for p in range(c, NEVER + 1)]
    for first, second in itertools.product(times, times):
        if first[0] > second[0]:
            continue  # events are numbered in the order of their commits
        log, listener = await run(layer, [first, second])
        assert log.head == 2
        received = listener.snapshot.seqs + listener.seqs
        assert (received, listener.lost_streams) == ([1, 2], []), (first, second)


@pytest.mark.parametrize("point", range(len(POINTS)), ids=POINTS)
async def test_an_event_published_during_a_join_is_delivered_without_waiting_for_the_poll(layer, point):
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
        if number == point:
            hub.receive(announcement(log.commit()))
    await joining
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS * 2)
    assert listener.snapshot.seqs + listener.seqs == [1]
    assert hub.heads(["s"]) == {"s": 1}
    await hub.close()


async def test_a_snapshot_that_is_newer_than_the_stream_brings_all_members_up_to_it(join, log):
    hers = await join(1)
    log.commit(), log.commit()
    his = await join(2)
    assert (his.snapshot.head, his.seqs) == (2, [])
    assert hers.seqs == [1, 2]


async def test_a_member_that_joins_during_a_burst_misses_no_event(hub, join, log):
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


async def test_a_member_that_joins_in_the_middle_of_a_flush_receives_each_event_once(hub, join, log):
    listeners = [await join(1) for _ in range(CHUNK_SIZE * 2)]
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reached = sum(bool(listener.seqs) for listener in listeners)
    assert 0 < reached < len(listeners)
    late = await join(2)
    hub.receive(announcement(log.commit()))
    await asyncio.sleep(1)
    assert {tuple(listener.seqs) for listener in listeners} == {(1, 2)}
    assert (late.snapshot.head, late.seqs) == (1, [2])


async def test_simultaneous_joins_open_the_stream_once(hub, log, layer):
    listeners = [Listener(key) for key in range(50)]
    layer.joining.open = False
    joining = asyncio.gather(*(join_stream(hub, "s", listener, log) for listener in listeners))
    await quiet()
    assert len(layer.joining.waiting) == 1
    layer.joining.release()
    await joining
    assert log.head_queries == 1
    hub.receive(announcement(log.commit()))
    await quiet()
    assert all(listener.seqs == [1] for listener in listeners)


async def test_a_member_removed_while_joining_receives_the_removal_and_nothing_after_it(hub, log):
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


async def test_a_changed_epoch_found_by_a_join_makes_all_members_lose_the_stream(hub, join, log):
    hers = await join(1)
    log.epoch = "second"
    his = Listener(2)
    with pytest.raises(StreamLost):
        await join_stream(hub, "s", his, log)
    assert (hers.lost_streams, his.lost_streams, his.snapshot) == (["s"], [], None)
    assert (await join(2)).snapshot.epoch == "second"


@pytest.mark.parametrize("when", ["opening", "loading the snapshot", "filling the gap"])
async def test_a_database_failure_fails_the_join_and_does_not_affect_other_members(hub, join, log, when):
    hers = await join(1) if when != "opening" else None
    his = Listener(2)
    if when == "filling the gap":
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


async def test_a_cancelled_join_leaves_nothing_behind(hub, log, layer):
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
