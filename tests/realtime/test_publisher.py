"""Publishing never waits, never raises, and does not open a connection for each announcement."""

import asyncio
import threading

import pytest
from django.db import connection, transaction

from channels_realtime import publisher as publisher_module
from channels_realtime.publisher import Publisher, publish_ephemeral, publish_events, publisher
from channels_realtime.stream import Event
from tests.clock import PatientLoop, quiet


class RecordingChannelLayer:
    """A channel layer that records the loops that used it (each loop is a connection) and what was sent."""

    def __init__(self):
        self.loops, self.sent = set(), []
        self.failing = 0
        self.changed = threading.Condition()

    async def group_send(self, group, message):
        with self.changed:
            self.loops.add(asyncio.get_running_loop())
            if self.failing:
                self.failing -= 1
                raise ConnectionError("no connection")
            self.sent.append(content(message))
            self.changed.notify_all()

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sent) >= count, 10), self.sent


@pytest.fixture
def recording_layer(monkeypatch):
    layer = RecordingChannelLayer()
    monkeypatch.setattr(publisher_module, "get_channel_layer", lambda: layer)
    return layer


def numbered_announcement(number):
    return {"type": "events", "stream": "s", "events": [(number, str(number), None)]}


def content(announcement):
    return announcement["events"][0][1] if "events" in announcement else announcement["text"]


def test_threads_without_an_event_loop_share_one_connection(recording_layer):
    publisher_under_test = Publisher()

    def publish_fifty(first):
        for number in range(first, first + 50):
            publisher_under_test.publish(numbered_announcement(number))

    threads = [threading.Thread(target=publish_fifty, args=(first,)) for first in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher_under_test.publish(numbered_announcement(400))
    recording_layer.wait(401)
    assert len(recording_layer.loops) == 1
    assert sorted(recording_layer.sent, key=int) == [str(number) for number in range(401)]


def test_announcements_of_one_thread_keep_their_order(recording_layer):
    publisher_under_test = Publisher()
    for number in range(200):
        publisher_under_test.publish(numbered_announcement(number))
    recording_layer.wait(200)
    assert recording_layer.sent == [str(number) for number in range(200)]


def test_publishing_works_after_the_attached_event_loop_was_closed(recording_layer):
    publisher_under_test = Publisher()
    loop = asyncio.new_event_loop()

    async def attach():
        publisher_under_test.attach(print)

    loop.run_until_complete(attach())
    loop.close()
    publisher_under_test.publish(numbered_announcement(1))
    recording_layer.wait(1)


def test_an_attached_event_loop_ends_the_thread_that_published_before(recording_layer):
    def find_threads():
        return {thread for thread in threading.enumerate() if thread.name == "publisher"}

    publisher_under_test = Publisher()
    earlier = find_threads()
    for number in range(100):
        publisher_under_test.publish(numbered_announcement(number))
    (thread,) = find_threads() - earlier

    async def attach():
        publisher_under_test.attach(print)
        publisher_under_test.publish(numbered_announcement(100))
        await quiet()

    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        runner.run(attach())
    thread.join(10)
    assert not thread.is_alive()
    assert thread.queue.loop.is_closed()
    assert sorted(recording_layer.sent, key=int) == [str(number) for number in range(101)]


def test_publishing_raises_nothing_when_the_event_loop_closes_at_that_moment(recording_layer, monkeypatch):
    publisher_under_test = Publisher()
    loop = asyncio.new_event_loop()

    async def attach():
        publisher_under_test.attach(print)

    loop.run_until_complete(attach())
    monkeypatch.setattr(loop, "is_closed", lambda: False)
    loop.close()
    monkeypatch.setattr(loop, "_closed", True)
    publisher_under_test.publish(numbered_announcement(1))
    assert recording_layer.sent == []


def test_a_failing_channel_layer_is_logged_once_and_used_again_when_it_works(recording_layer, caplog):
    publisher_under_test = Publisher()
    recording_layer.failing = 2
    for number in range(2):
        publisher_under_test.publish(numbered_announcement(number))
        with recording_layer.changed:
            while recording_layer.failing > 1 - number:
                recording_layer.changed.wait(0.01)
    publisher_under_test.publish(numbered_announcement(2))
    recording_layer.wait(1)
    publisher_under_test.publish(numbered_announcement(3))
    recording_layer.wait(2)
    assert recording_layer.sent == ["2", "3"]
    assert [message.split(";")[0] for message in caplog.messages] == [
        "The channel layer is away",
        "The channel layer is back.",
    ]


async def test_a_send_that_hangs_times_out_and_the_queued_announcements_are_dropped(layer, monkeypatch, caplog):
    publisher.attach(print)
    send, hanging = layer.group_send, asyncio.Event()

    async def hang(group, message):
        await hanging.wait()

    monkeypatch.setattr(layer, "group_send", hang)
    for number in range(5):
        publisher.publish(numbered_announcement(number))
    await asyncio.sleep(publisher_module.SEND_TIMEOUT_SECONDS + 1)
    assert "5 announcements lost" in caplog.text
    assert not publisher.is_reachable
    monkeypatch.setattr(layer, "group_send", send)
    publisher.publish(numbered_announcement(5))
    await quiet()
    assert [content(message) for message in layer.sent] == ["5"]
    assert publisher.is_reachable


async def test_a_full_queue_drops_the_oldest_announcements_first(layer, monkeypatch):
    monkeypatch.setattr(publisher_module, "MAX_QUEUED_ANNOUNCEMENTS", 3)
    publisher.attach(print)
    release, send = asyncio.Event(), layer.group_send

    async def slow(group, message):
        await release.wait()
        await send(group, message)

    monkeypatch.setattr(layer, "group_send", slow)
    for number in range(10):
        publisher.publish(numbered_announcement(number))
        await quiet()
    release.set()
    await quiet()
    assert [content(message) for message in layer.sent] == ["0", "7", "8", "9"]


async def test_the_hub_of_the_same_loop_receives_events_directly_and_no_ephemeral_messages(layer):
    received = []
    publisher.attach(received.append)
    publisher.publish(numbered_announcement(1))
    publish_ephemeral("s", "typing")
    await quiet()
    assert received == [numbered_announcement(1)]
    assert [content(message) for message in layer.sent] == ["1", "typing"]


@pytest.mark.django_db(transaction=True)
def test_events_are_published_after_the_commit_and_not_after_a_rollback(recording_layer, monkeypatch):
    published = []
    monkeypatch.setattr(
        publisher,
        "publish",
        lambda announcement: published.append((announcement["events"], connection.in_atomic_block)),
    )
    with transaction.atomic():
        publish_events("s", [Event(1, "{}")])
        publish_events("s", [Event(2, "{}", removed_member=5), Event(3, "{}")])
        assert published == []
    assert published == [([(1, "{}", None)], False), ([(2, "{}", 5), (3, "{}", None)], False)]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_events("s", [Event(4, "{}")])
        raise ZeroDivisionError
    assert len(published) == 2
