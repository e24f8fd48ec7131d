"""Announcing never waits, never raises, and never opens a connection of its own for one announcement."""

import asyncio
import threading

import pytest
from django.db import connection, transaction

from realtime import publisher as publisher_module
from realtime.publisher import Publisher, publish_ephemeral, publish_events, publisher
from realtime.stream import Event
from tests.clock import quiet


class CountingAir:
    """A layer that notes in which loop it was used: each loop is a connection."""

    def __init__(self):
        self.loops, self.sent = set(), []
        self.failing = 0
        self.enough = threading.Condition()

    async def group_send(self, group, message):
        with self.enough:
            self.loops.add(asyncio.get_running_loop())
            if self.failing:
                self.failing -= 1
                raise ConnectionError("nobody there")
            self.sent.append(told(message))
            self.enough.notify_all()

    def wait(self, count):
        with self.enough:
            assert self.enough.wait_for(lambda: len(self.sent) >= count, 10), self.sent


@pytest.fixture
def counting(monkeypatch):
    layer = CountingAir()
    monkeypatch.setattr(publisher_module, "get_channel_layer", lambda: layer)
    return layer


def text(number):
    return {"type": "events", "stream": "s", "events": [(number, str(number), None)]}


def told(announcement):
    return announcement["events"][0][1] if "events" in announcement else announcement["text"]


def test_many_threads_without_a_loop_share_one_long_lived_connection(counting):
    ring = Publisher()

    def announce_some(first):
        for number in range(first, first + 50):
            ring.publish(text(number))

    threads = [threading.Thread(target=announce_some, args=(first,)) for first in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring.publish(text(400))
    counting.wait(401)
    assert len(counting.loops) == 1
    assert sorted(counting.sent, key=int) == [str(number) for number in range(401)]


def test_what_one_thread_announces_keeps_its_order(counting):
    ring = Publisher()
    for number in range(200):
        ring.publish(text(number))
    counting.wait(200)
    assert counting.sent == [str(number) for number in range(200)]


def test_after_the_loop_of_a_process_ended_announcing_goes_on(counting):
    ring = Publisher()
    loop = asyncio.new_event_loop()

    async def attach():
        ring.attach(print)

    loop.run_until_complete(attach())
    loop.close()
    ring.publish(text(1))
    counting.wait(1)


def test_a_loop_that_closes_this_very_moment_raises_nothing(counting, monkeypatch):
    ring = Publisher()
    loop = asyncio.new_event_loop()

    async def attach():
        ring.attach(print)

    loop.run_until_complete(attach())
    monkeypatch.setattr(loop, "is_closed", lambda: False)
    loop.close()
    monkeypatch.setattr(loop, "_closed", True)
    ring.publish(text(1))
    assert counting.sent == []


def test_a_layer_that_fails_is_logged_once_and_used_again(counting, caplog):
    ring = Publisher()
    counting.failing = 2
    for number in range(2):
        ring.publish(text(number))
        with counting.enough:
            while counting.failing > 1 - number:
                counting.enough.wait(0.01)
    ring.publish(text(2))
    counting.wait(1)
    ring.publish(text(3))
    counting.wait(2)
    assert counting.sent == ["2", "3"]
    assert [message.split(";")[0] for message in caplog.messages] == [
        "The channel layer is away",
        "The channel layer is back.",
    ]


async def test_a_layer_that_hangs_is_given_up_and_those_who_waited_with_it(layer, monkeypatch, caplog):
    publisher.attach(print)
    send, hanging = layer.group_send, asyncio.Event()

    async def hang(group, message):
        await hanging.wait()

    monkeypatch.setattr(layer, "group_send", hang)
    for number in range(5):
        publisher.publish(text(number))
    await asyncio.sleep(publisher_module.SEND_TIMEOUT_SECONDS + 1)
    assert "5 announcements lost" in caplog.text
    assert not publisher.is_reachable
    monkeypatch.setattr(layer, "group_send", send)
    publisher.publish(text(5))
    await quiet()
    assert [told(message) for message in layer.sent] == ["5"]
    assert publisher.is_reachable


async def test_while_a_slow_layer_takes_its_time_the_oldest_are_forgotten_first(layer, monkeypatch):
    monkeypatch.setattr(publisher_module, "MAX_QUEUED_ANNOUNCEMENTS", 3)
    publisher.attach(print)
    release, send = asyncio.Event(), layer.group_send

    async def slow(group, message):
        await release.wait()
        await send(group, message)

    monkeypatch.setattr(layer, "group_send", slow)
    for number in range(10):
        publisher.publish(text(number))
        await quiet()
    release.set()
    await quiet()
    assert [told(message) for message in layer.sent] == ["0", "7", "8", "9"]


async def test_the_hub_of_the_same_loop_is_told_first_and_only_of_lasting_things(layer):
    heard = []
    publisher.attach(heard.append)
    publisher.publish(text(1))
    publish_ephemeral("s", "typing")
    await quiet()
    assert heard == [text(1)]
    assert [told(message) for message in layer.sent] == ["1", "typing"]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_announced_before_its_transaction_is_committed_or_if_it_is_not(counting, monkeypatch):
    rung = []
    monkeypatch.setattr(
        publisher, "publish", lambda announcement: rung.append((announcement["events"], connection.in_atomic_block))
    )
    with transaction.atomic():
        publish_events("s", [Event(1, "{}")])
        publish_events("s", [Event(2, "{}", removed_member=5), Event(3, "{}")])
        assert rung == []
    assert rung == [([(1, "{}", None)], False), ([(2, "{}", 5), (3, "{}", None)], False)]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_events("s", [Event(4, "{}")])
        raise ZeroDivisionError
    assert len(rung) == 2
