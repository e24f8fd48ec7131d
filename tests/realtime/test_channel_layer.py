"""The channel layer only notifies: while it is away everything works, by polling the database."""

import asyncio
import logging

import pytest

from realtime import hub as hub_module
from realtime.hub import Hub
from realtime.publisher import ALL_PROCESSES_GROUP, publisher
from tests.clock import quiet
from tests.realtime.fakes import Listener, announcement, join_stream


async def ring(layer, event):
    """Another process announces."""
    await layer.group_send("s", announcement(event))
    await quiet()


async def test_what_another_process_announces_is_heard(join, log, layer):
    hers = await join()
    await ring(layer, log.commit())
    assert hers.seqs == [1]


async def test_one_channel_serves_all_streams(hub, join, log, layer):
    await join(1)
    other = Listener(2)
    await join_stream(hub, "t", other, log)
    assert layer.groups["s"] == layer.groups["t"]
    assert len(layer.groups["s"]) == 1


async def test_a_layer_that_is_away_fails_no_join_and_events_come_by_polling(hub, log, layer, caplog):
    layer.is_away = True
    listeners = [Listener(1), Listener(2)]
    for listener in listeners:
        await join_stream(hub, "s", listener, log)
    log.commit()
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    assert [listener.seqs for listener in listeners] == [[1], [1]]
    assert [r.levelno for r in caplog.records] == [logging.WARNING]  # said once, and not as an error
    assert "The channel layer is away" in caplog.text


async def test_a_layer_that_hangs_is_given_up_by_nobody_but_the_one_who_asked(hub, log, layer):
    layer.joining.open = False
    hers = Listener(1)
    joining = asyncio.ensure_future(join_stream(hub, "s", hers, log))
    await asyncio.sleep(60)
    layer.joining.release()
    await joining
    assert hers.snapshot is not None


async def test_when_it_is_back_it_is_used_again_and_nothing_was_lost(hub, join, log, layer, caplog):
    hers = await join()
    layer.is_away = True
    his = Listener(2)
    await join_stream(hub, "t", his, log)  # finds it away, and is not in its group
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
    await ring(layer, log.commit())
    assert hers.seqs == [1, 2, 3]


async def test_it_is_not_called_back_before_it_is(join, log, layer, caplog):
    hers = await join()
    layer.is_away = True
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 5)  # nobody joins or leaves meanwhile
    assert not publisher.is_reachable
    layer.is_away = False
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS + 1)
    assert publisher.is_reachable
    assert len(caplog.messages) == 2
    assert hers.seqs == [1]


async def test_groups_that_could_not_be_left_are_no_harm(hub, join, log, layer):
    hers = await join()
    hub.leave("s", hers)
    layer.is_away = True
    await asyncio.sleep(hub_module.POLL_INTERVAL_SECONDS * 2)
    layer.is_away = False
    await ring(layer, log.commit())
    again = await join()
    await ring(layer, log.commit())
    assert (again.snapshot.seqs, again.seqs) == ([1], [2])


@pytest.mark.parametrize(
    "nonsense", [{}, {"stream": "s", "events": [[1]]}, {"stream": "s"}, {"stream": [], "events": "x"}]
)
async def test_an_announcement_that_makes_no_sense_does_not_deafen_the_hub(join, log, layer, nonsense):
    hers = await join()
    await layer.group_send("s", {"type": "event", **nonsense})
    await ring(layer, log.commit())
    assert hers.seqs == [1]


async def test_a_member_hears_its_own_process_even_without_a_layer(hub, join, log, layer):
    hers = await join()
    layer.is_away = True
    publisher.publish(announcement(log.commit()))
    await quiet()
    assert hers.seqs == [1]


async def test_what_comes_both_ways_is_heard_once(join, log, layer):
    hers = await join()
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(1)
    assert layer.sent
    assert hers.seqs == [1]


async def test_a_hub_that_ends_leaves_its_groups_and_its_tasks(layer, log):
    hub = Hub(log)
    hers = Listener()
    await join_stream(hub, "s", hers, log)
    before = asyncio.all_tasks()
    await hub.close()
    assert layer.groups == {ALL_PROCESSES_GROUP: set(), "s": set()}
    assert before - asyncio.all_tasks() != set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_hub_ends_even_when_the_layer_hangs(layer, log, monkeypatch):
    hub = Hub(log)
    hers = Listener()
    await join_stream(hub, "s", hers, log)

    async def hang(group, channel):
        await asyncio.Event().wait()

    monkeypatch.setattr(layer, "group_discard", hang)
    began = asyncio.get_running_loop().time()
    await hub.close()
    assert asyncio.get_running_loop().time() - began <= 1
