"""While the channel layer is away, events are delivered by polling the database."""

import asyncio
import logging

import pytest

from channels_realtime import hub as hub_module
from channels_realtime.hub import Hub
from channels_realtime.publisher import ALL_PROCESSES_GROUP, publisher
from tests.clock import quiet
from tests.realtime.fakes import Listener, announcement, join_stream


async def publish_from_another_process(layer, event):
    """Send the event to the group, as another process does."""
    await layer.group_send("s", announcement(event))
    await quiet()


async def test_an_event_published_by_another_process_reaches_members(join, log, layer):
    hers = await join()
    await publish_from_another_process(layer, log.commit())
    assert hers.seqs == [1]


async def test_one_channel_serves_all_streams(hub, join, log, layer):
    await join(1)
    other = Listener(2)
    await join_stream(hub, "t", other, log)
    assert layer.groups["s"] == layer.groups["t"]
    assert len(layer.groups["s"]) == 1


async def test_without_a_channel_layer_joins_succeed_and_events_arrive_by_polling(hub, log, layer, caplog):
    layer.is_away = True
    listeners = [Listener(1), Listener(2)]
    for listener in listeners:
        await join_stream(hub, "s", listener, log)
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    assert [listener.seqs for listener in listeners] == [[1], [1]]
    assert [r.levelno for r in caplog.records] == [logging.WARNING]  # logged once, and not as an error
    assert "The channel layer is away" in caplog.text


async def test_a_join_waits_for_a_channel_layer_that_hangs(hub, log, layer):
    layer.joining.open = False
    hers = Listener(1)
    joining = asyncio.ensure_future(join_stream(hub, "s", hers, log))
    await asyncio.sleep(60)
    layer.joining.release()
    await joining
    assert hers.snapshot is not None


async def test_a_channel_layer_that_is_back_is_used_again_and_no_event_is_lost(hub, join, log, layer, caplog):
    hers = await join()
    layer.is_away = True
    his = Listener(2)
    await join_stream(hub, "t", his, log)  # cannot join the group
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 3)
    assert not layer.groups.get("t")
    layer.is_away = False
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    assert hers.seqs == [1, 2]
    assert (len(layer.groups["s"]), len(layer.groups["t"])) == (1, 1)
    assert [message.split(";")[0] for message in caplog.messages] == [
        "The channel layer is away",
        "The channel layer is back.",
    ]
    await publish_from_another_process(layer, log.commit())
    assert hers.seqs == [1, 2, 3]


async def test_a_hub_receives_again_and_joins_its_groups_when_the_layer_has_failed_and_lost_them(join, log, layer):
    hers = await join()
    layer.restart()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 3)
    await publish_from_another_process(layer, log.commit())
    assert hers.seqs == [1]


async def test_a_hub_joins_its_groups_again_every_hour_because_a_layer_forgets_members(join, log, layer):
    hers = await join()
    layer.groups.clear()
    await asyncio.sleep(hub_module.GROUPS_REFRESH_SECONDS + hub_module.POLL_INTERVAL_SECONDS * 2)
    await publish_from_another_process(layer, log.commit())
    assert hers.seqs == [1]


async def test_the_channel_layer_counts_as_away_until_it_works_again(join, log, layer, caplog):
    hers = await join()
    layer.is_away = True
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 5)  # no member joins or leaves meanwhile
    assert not publisher.is_reachable
    layer.is_away = False
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert publisher.is_reachable
    assert len(caplog.messages) == 2
    assert hers.seqs == [1]


async def test_a_group_that_could_not_be_left_does_not_disturb_the_next_join(hub, join, log, layer):
    hers = await join()
    hub.leave("s", hers)
    layer.is_away = True
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    layer.is_away = False
    await publish_from_another_process(layer, log.commit())
    again = await join()
    await publish_from_another_process(layer, log.commit())
    assert (again.snapshot.seqs, again.seqs) == ([1], [2])


@pytest.mark.parametrize(
    "malformed", [{}, {"stream": "s", "events": [[1]]}, {"stream": "s"}, {"stream": [], "events": "x"}]
)
async def test_the_hub_still_receives_events_after_a_malformed_announcement(join, log, layer, malformed):
    hers = await join()
    await layer.group_send("s", {"type": "event", **malformed})
    await publish_from_another_process(layer, log.commit())
    assert hers.seqs == [1]


async def test_an_event_of_the_same_process_reaches_members_without_a_channel_layer(hub, join, log, layer):
    hers = await join()
    layer.is_away = True
    publisher.publish(announcement(log.commit()))
    await quiet()
    assert hers.seqs == [1]


async def test_an_event_that_arrives_directly_and_over_redis_is_delivered_once(join, log, layer):
    hers = await join()
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(1)
    assert layer.sent
    assert hers.seqs == [1]


async def test_a_closed_hub_has_left_its_groups_and_ended_its_tasks(layer, log):
    hub = Hub(log)
    hers = Listener()
    await join_stream(hub, "s", hers, log)
    before = asyncio.all_tasks()
    await hub.close()
    assert layer.groups == {ALL_PROCESSES_GROUP: set(), "s": set()}
    assert before - asyncio.all_tasks() != set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_hub_closes_within_a_second_when_the_channel_layer_hangs(layer, log, monkeypatch):
    hub = Hub(log)
    hers = Listener()
    await join_stream(hub, "s", hers, log)

    async def hang(group, channel):
        await asyncio.Event().wait()

    monkeypatch.setattr(layer, "group_discard", hang)
    began = asyncio.get_running_loop().time()
    await hub.close()
    assert asyncio.get_running_loop().time() - began <= 1
