"""The channel layer is only a doorbell: while it is away everything works, by looking instead of hearing."""

import asyncio
import logging

import pytest

from realtime import hub as hub_module
from realtime.hub import Hub
from realtime.publisher import EVERYBODY, publisher
from tests.clock import quiet
from tests.realtime.fakes import Listener, announcement


async def ring(air, event):
    """Another process announces."""
    await air.group_send("s", announcement(event))
    await quiet()


async def test_what_another_process_announces_is_heard(join, log, air):
    hers = await join()
    await ring(air, log.commit())
    assert hers.seqs == [1]


async def test_one_channel_serves_all_streams(hub, join, log, air):
    await join(1)
    other = Listener(2)
    await hub.join("t", other, log.look, other.greet)
    assert air.groups["s"] == air.groups["t"]
    assert len(air.groups["s"]) == 1


async def test_a_layer_that_is_away_fails_no_join_and_events_come_by_polling(hub, log, air, caplog):
    air.away = True
    listeners = [Listener(1), Listener(2)]
    for listener in listeners:
        await hub.join("s", listener, log.look, listener.greet)
    log.commit()
    await asyncio.sleep(hub_module.POLL_SECONDS * 2)
    assert [listener.seqs for listener in listeners] == [[1], [1]]
    assert [r.levelno for r in caplog.records] == [logging.WARNING]  # said once, and not as an error
    assert "The channel layer is away" in caplog.text


async def test_a_layer_that_hangs_is_given_up_by_nobody_but_the_one_who_asked(hub, log, air):
    air.joining.open = False
    hers = Listener(1)
    joining = asyncio.ensure_future(hub.join("s", hers, log.look, hers.greet))
    await asyncio.sleep(60)
    air.joining.let_go()
    await joining
    assert hers.greeting is not None


async def test_when_it_is_back_it_is_used_again_and_nothing_was_lost(hub, join, log, air, caplog):
    hers = await join()
    air.away = True
    his = Listener(2)
    await hub.join("t", his, log.look, his.greet)  # finds it away, and is not in its group
    log.commit()
    await asyncio.sleep(hub_module.POLL_SECONDS * 3)
    assert not air.groups.get("t")
    air.away = False
    log.commit()
    await asyncio.sleep(hub_module.POLL_SECONDS * 2)
    assert hers.seqs == [1, 2]
    assert (len(air.groups["s"]), len(air.groups["t"])) == (1, 1)
    assert [message.split(";")[0] for message in caplog.messages] == [
        "The channel layer is away",
        "The channel layer is back.",
    ]
    await ring(air, log.commit())
    assert hers.seqs == [1, 2, 3]


async def test_it_is_not_called_back_before_it_is(join, log, air, caplog):
    hers = await join()
    air.away = True
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(hub_module.POLL_SECONDS * 5)  # nobody joins or leaves meanwhile
    assert not publisher.reachable
    air.away = False
    await asyncio.sleep(hub_module.POLL_SECONDS + 1)
    assert publisher.reachable
    assert len(caplog.messages) == 2
    assert hers.seqs == [1]


async def test_groups_that_could_not_be_left_are_no_harm(hub, join, log, air):
    hers = await join()
    hub.leave("s", hers)
    air.away = True
    await asyncio.sleep(hub_module.POLL_SECONDS * 2)
    air.away = False
    await ring(air, log.commit())
    again = await join()
    await ring(air, log.commit())
    assert (again.greeting.seqs, again.seqs) == ([1], [2])


@pytest.mark.parametrize(
    "nonsense", [{}, {"stream": "s", "events": [[1]]}, {"stream": "s"}, {"stream": [], "events": "x"}]
)
async def test_an_announcement_that_makes_no_sense_does_not_deafen_the_hub(join, log, air, nonsense):
    hers = await join()
    await air.group_send("s", {"type": "event", **nonsense})
    await ring(air, log.commit())
    assert hers.seqs == [1]


async def test_a_member_hears_its_own_process_even_without_a_layer(hub, join, log, air):
    hers = await join()
    air.away = True
    publisher.publish(announcement(log.commit()))
    await quiet()
    assert hers.seqs == [1]


async def test_what_comes_both_ways_is_heard_once(join, log, air):
    hers = await join()
    publisher.publish(announcement(log.commit()))
    await asyncio.sleep(1)
    assert air.sent
    assert hers.seqs == [1]


async def test_a_hub_that_ends_leaves_its_groups_and_its_tasks(air, log):
    hub = Hub(log)
    hers = Listener()
    await hub.join("s", hers, log.look, hers.greet)
    before = asyncio.all_tasks()
    await hub.close()
    assert air.groups == {EVERYBODY: set(), "s": set()}
    assert before - asyncio.all_tasks() != set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_hub_ends_even_when_the_layer_hangs(air, log, monkeypatch):
    hub = Hub(log)
    hers = Listener()
    await hub.join("s", hers, log.look, hers.greet)

    async def hang(group, channel):
        await asyncio.Event().wait()

    monkeypatch.setattr(air, "group_discard", hang)
    began = asyncio.get_running_loop().time()
    await hub.close()
    assert asyncio.get_running_loop().time() - began <= 1
