"""Members receive every event once and in order, even when announcements are lost, doubled or late."""

import asyncio

import pytest

from channels_realtime import hub as hub_module
from tests.clock import quiet
from tests.realtime.fakes import announcement


@pytest.fixture
def receive(hub):
    """`await receive(event, ...)` gives the hub one announcement for each event."""

    async def receive_all(*events):
        for event in events:
            hub.receive(announcement(event))
        await quiet()

    return receive_all


async def test_each_event_reaches_every_member(join, log, receive):
    hers, his = await join(1), await join(2)
    await receive(log.commit())
    await receive(log.commit())
    assert hers.seqs_by_frame == his.seqs_by_frame == [[1], [2]]


async def test_events_that_arrive_together_are_sent_in_one_frame_that_is_encoded_once(join, log, receive):
    hers, his = await join(1), await join(2)
    await receive(log.commit(), log.commit(), log.commit())
    assert hers.seqs_by_frame == [[1, 2, 3]]
    assert hers.frames[0] is his.frames[0]


async def test_an_event_announced_twice_is_delivered_once(join, log, receive):
    hers = await join()
    first, second = log.commit(), log.commit()
    await receive(first, first, second)
    await receive(first)
    await receive(second)
    assert hers.seqs == [1, 2]


async def test_events_announced_in_the_wrong_order_are_sorted_without_a_query(join, log, receive):
    hers = await join()
    first, second, third = log.commit(), log.commit(), log.commit()
    await receive(third, second)
    assert hers.seqs == []
    await receive(first)
    await asyncio.sleep(1)
    assert hers.seqs == [1, 2, 3]
    assert log.gap_queries == []


async def test_a_gap_is_filled_with_one_query_for_all_members(join, log, receive):
    members = [await join(key) for key in range(5)]
    queries = log.head_queries
    log.commit()
    await receive(log.commit())
    await receive(log.commit())
    assert members[0].seqs == []
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS)
    await quiet()
    assert [listener.seqs for listener in members] == [[1, 2, 3]] * 5
    assert (log.gap_queries, log.head_queries) == ([(0, 3)], queries + 1)


async def test_an_event_announced_after_its_gap_was_filled_is_not_delivered_again(join, log, receive):
    hers = await join()
    late = log.commit()
    await receive(log.commit())
    await asyncio.sleep(1)
    await receive(late)
    await receive(log.commit())
    assert hers.seqs == [1, 2, 3]


async def test_events_announced_while_a_gap_is_filled_are_delivered_after_it(join, log, receive):
    hers = await join()
    log.commit()
    log.after_heads.open = False  # the database answers slowly
    await receive(log.commit())
    await asyncio.sleep(1)
    await receive(log.commit())
    log.after_heads.release()
    await asyncio.sleep(1)
    assert hers.seqs == [1, 2, 3]


async def test_a_gap_that_is_being_filled_is_not_queried_again(join, log, receive):
    hers = await join()
    queries = log.head_queries
    log.commit()
    log.after_heads.open = False
    for _ in range(10):
        await receive(log.commit())
        await asyncio.sleep(0.1)
    assert log.head_queries == queries + 1
    log.after_heads.release()
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 12))


async def test_filling_a_gap_delivers_only_the_latest_change_of_a_row(join, log, receive):
    hers = await join()
    log.commit()
    log.overwritten.add(1)
    await receive(log.commit())
    await asyncio.sleep(1)
    assert hers.seqs == [2]
    await receive(log.commit())
    assert hers.seqs == [2, 3]


async def test_an_event_whose_announcement_was_lost_arrives_within_the_poll_interval(join, log):
    hers = await join()
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 2 * hub_module.GAP_WAIT_SECONDS)
    assert hers.seqs == [1]


async def test_a_changed_poll_interval_takes_effect_at_the_next_poll(join, log, monkeypatch):
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS - 0.1)
    monkeypatch.setattr(hub_module, "POLL_INTERVAL_SECONDS", 0.2)
    hers = await join()
    await asyncio.sleep(0.2)
    log.commit()
    await asyncio.sleep(0.3)
    assert hers.seqs == [1]


async def test_members_lose_the_stream_when_a_gap_is_too_large(join, log, receive):
    hers, his = await join(1), await join(2)
    log.max_changes = 2
    log.commit(), log.commit()
    await receive(log.commit())
    await asyncio.sleep(1)
    assert hers.lost_streams == his.lost_streams == ["s"]
    assert hers.seqs == []
    again = await join(1)
    assert again.snapshot.head == 3
    await receive(log.commit())
    assert (again.seqs, hers.seqs) == ([4], [])


@pytest.mark.parametrize("change", ["epoch", "fewer events", "deleted"])
async def test_members_lose_the_stream_when_the_database_is_restored_from_a_backup(join, log, receive, change):
    hers = await join()
    await receive(log.commit(), log.commit())
    if change == "epoch":
        log.epoch = "second"
    elif change == "fewer events":
        log.events.pop()
    else:
        log.is_deleted = True
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 0.1)
    assert hers.lost_streams == ["s"]
    await receive(log.commit(), log.commit())
    assert hers.seqs == [1, 2]


async def test_a_changed_epoch_is_noticed_while_a_gap_is_filled(join, log, receive):
    hers = await join()
    log.commit()
    log.epoch = "second"
    await receive(log.commit())
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS)
    await quiet()
    assert (hers.lost_streams, hers.seqs) == (["s"], [])


async def test_members_keep_the_stream_while_the_database_is_away_and_miss_no_event_afterwards(
    join, log, receive, caplog
):
    hers = await join()
    log.commit()
    log.is_away = True
    await receive(log.commit())
    await asyncio.sleep(2 * hub_module.POLL_INTERVAL_SECONDS)
    assert (hers.seqs, hers.lost_streams) == ([], [])
    assert "the database is away" in caplog.text
    log.is_away = False
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert hers.seqs == [1, 2]


async def test_announcements_of_streams_without_members_are_ignored(join, hub, log):
    hers = await join()
    hub.receive(announcement(log.commit(), stream="other"))
    await quiet()
    assert hers.seqs == []
    assert hub.heads(["other", "s"]) == {"s": 0}
