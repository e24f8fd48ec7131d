"""Whatever happens to announcements, members hear every event once and in order."""

import asyncio

import pytest

from realtime import hub as hub_module
from tests.clock import quiet
from tests.realtime.fakes import announcement


@pytest.fixture
def hear(hub):
    async def heard(*events):
        for event in events:
            hub.receive(announcement(event))
        await quiet()

    return heard


async def test_each_event_reaches_every_member(join, log, hear):
    hers, his = await join(1), await join(2)
    await hear(log.commit())
    await hear(log.commit())
    assert hers.seqs_by_frame == his.seqs_by_frame == [[1], [2]]


async def test_events_that_come_together_leave_together_in_one_frame_encoded_once(join, log, hear):
    hers, his = await join(1), await join(2)
    await hear(log.commit(), log.commit(), log.commit())
    assert hers.seqs_by_frame == [[1, 2, 3]]
    assert hers.frames[0] is his.frames[0]


async def test_a_doubled_event_is_heard_once(join, log, hear):
    hers = await join()
    first, second = log.commit(), log.commit()
    await hear(first, first, second)
    await hear(first)
    await hear(second)
    assert hers.seqs == [1, 2]


async def test_two_in_the_wrong_order_need_no_look_into_the_database(join, log, hear):
    hers = await join()
    first, second, third = log.commit(), log.commit(), log.commit()
    await hear(third, second)
    assert hers.seqs == []
    await hear(first)
    await asyncio.sleep(1)
    assert hers.seqs == [1, 2, 3]
    assert log.gap_queries == []


async def test_a_hole_is_filled_from_the_database_once_for_all_members(join, log, hear):
    everybody = [await join(key) for key in range(5)]
    asked = log.head_queries
    log.commit()
    await hear(log.commit())
    await hear(log.commit())
    assert everybody[0].seqs == []
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS)
    await quiet()
    assert [listener.seqs for listener in everybody] == [[1, 2, 3]] * 5
    assert (log.gap_queries, log.head_queries) == ([(0, 3)], asked + 1)


async def test_what_comes_after_its_hole_was_filled_is_dropped(join, log, hear):
    hers = await join()
    late = log.commit()
    await hear(log.commit())
    await asyncio.sleep(1)
    await hear(late)
    await hear(log.commit())
    assert hers.seqs == [1, 2, 3]


async def test_events_announced_while_a_hole_is_filled_follow_it(join, log, hear):
    hers = await join()
    log.commit()
    log.after_heads.open = False  # the database answers slowly
    await hear(log.commit())
    await asyncio.sleep(1)
    await hear(log.commit())
    log.after_heads.release()
    await asyncio.sleep(1)
    assert hers.seqs == [1, 2, 3]


async def test_while_a_hole_is_being_filled_nobody_asks_again(join, log, hear):
    hers = await join()
    asked = log.head_queries
    log.commit()
    log.after_heads.open = False
    for _ in range(10):
        await hear(log.commit())
        await asyncio.sleep(0.1)
    assert log.head_queries == asked + 1
    log.after_heads.release()
    await asyncio.sleep(1)
    assert hers.seqs == list(range(1, 12))


async def test_a_row_that_changed_twice_is_told_as_its_later_change_alone(join, log, hear):
    hers = await join()
    log.commit()
    log.overwritten.add(1)
    await hear(log.commit())
    await asyncio.sleep(1)
    assert hers.seqs == [2]
    await hear(log.commit())
    assert hers.seqs == [2, 3]


async def test_a_lost_last_event_surfaces_within_the_poll_interval(join, log):
    hers = await join()
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 2 * hub_module.GAP_WAIT_SECONDS)
    assert hers.seqs == [1]


async def test_the_poll_interval_is_read_anew_each_time(join, log, monkeypatch):
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS - 0.1)
    monkeypatch.setattr(hub_module, "POLL_INTERVAL_SECONDS", 0.2)
    hers = await join()
    await asyncio.sleep(0.2)
    log.commit()
    await asyncio.sleep(0.3)
    assert hers.seqs == [1]


async def test_when_there_is_too_much_to_tell_the_members_start_afresh(join, log, hear):
    hers, his = await join(1), await join(2)
    log.max_changes = 2
    log.commit(), log.commit()
    await hear(log.commit())
    await asyncio.sleep(1)
    assert hers.lost_streams == his.lost_streams == ["s"]
    assert hers.seqs == []
    again = await join(1)
    assert again.snapshot.head == 3
    await hear(log.commit())
    assert (again.seqs, hers.seqs) == ([4], [])


@pytest.mark.parametrize("change", ["epoch", "back", "gone"])
async def test_a_database_put_back_to_an_older_day_loses_the_stream(join, log, hear, change):
    hers = await join()
    await hear(log.commit(), log.commit())
    if change == "epoch":
        log.epoch = "second"
    elif change == "back":
        log.events.pop()
    else:
        log.is_deleted = True
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 0.1)
    assert hers.lost_streams == ["s"]
    await hear(log.commit(), log.commit())
    assert hers.seqs == [1, 2]


async def test_an_epoch_that_changed_is_noticed_while_filling_a_hole(join, log, hear):
    hers = await join()
    log.commit()
    log.epoch = "second"
    await hear(log.commit())
    await asyncio.sleep(hub_module.GAP_WAIT_SECONDS)
    await quiet()
    assert (hers.lost_streams, hers.seqs) == (["s"], [])


async def test_while_the_database_is_away_nothing_breaks_and_afterwards_nothing_is_missing(join, log, hear, caplog):
    hers = await join()
    log.commit()
    log.is_away = True
    await hear(log.commit())
    await asyncio.sleep(2 * hub_module.POLL_INTERVAL_SECONDS)
    assert (hers.seqs, hers.lost_streams) == ([], [])
    assert "the database is away" in caplog.text
    log.is_away = False
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert hers.seqs == [1, 2]


async def test_streams_nobody_asked_for_are_ignored(join, hub, log):
    hers = await join()
    hub.receive(announcement(log.commit(), stream="other"))
    await quiet()
    assert hers.seqs == []
    assert hub.heads(["other", "s"]) == {"s": 0}
