"""Bucket and Stream: the parts that need nobody."""

import pytest

from realtime.delivery import Event
from realtime.rate_limit import Bucket
from realtime.stream import Stream


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_bucket_gives_its_burst_at_once_and_then_says_how_long_to_wait(clock):
    bucket = Bucket(10, 3, clock)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == pytest.approx(0.1)
    clock.now += 0.04
    assert bucket.take() == pytest.approx(0.06)  # asking costs nothing
    clock.now += 0.06 + 1e-9
    assert bucket.take() == 0
    assert bucket.take() > 0


def test_a_bucket_never_holds_more_than_its_burst(clock):
    bucket = Bucket(10, 3, clock)
    clock.now += 1_000_000
    assert [bucket.take() == 0 for _ in range(4)] == [True, True, True, False]


def test_a_bucket_lends_tokens_that_are_still_to_come(clock):
    bucket = Bucket(10, 2, clock)
    assert [bucket.reserve() for _ in range(4)] == pytest.approx([0, 0, 0.1, 0.2])
    assert bucket.peek() == pytest.approx(0.3)  # asking takes nothing
    clock.now += 0.2
    assert bucket.reserve() == pytest.approx(0.1)


def event(seq):
    return Event(seq, str(seq))


@pytest.fixture
def stream():
    made = Stream("s", "".join)
    made.jump([], 5)
    return made


def ready(stream):
    return [event.seq for event in stream.delivery.ready]


def test_a_stream_takes_the_next_one_and_holds_what_is_early(stream):
    assert not stream.take([event(8)])
    assert not stream.take([event(7)])
    assert (stream.last, stream.known, ready(stream)) == (5, 8, [])
    assert stream.take([event(6)])
    assert (stream.last, stream.known, ready(stream), stream.early) == (8, 8, [6, 7, 8], {})


@pytest.mark.parametrize("seq", [1, 5])
def test_a_stream_drops_what_it_had(stream, seq):
    assert not stream.take([event(seq)])
    assert (stream.last, stream.known, ready(stream), stream.early) == (5, 5, [], {})


def test_a_stream_jumps_over_rows_that_changed_again_and_goes_on_with_what_was_early(stream):
    for early in (7, 9, 10):
        stream.take([event(early)])
    assert stream.jump([event(6), event(8)], 8)  # 7 is told by a later change
    assert (stream.last, ready(stream), stream.early) == (10, [6, 8, 9, 10], {})


def test_a_stream_that_is_ahead_of_the_database_stays_there(stream):
    assert not stream.jump([event(4), event(5)], 5)
    assert not stream.jump([event(3)], 3)
    assert (stream.last, ready(stream)) == (5, [])


def test_a_stream_is_idle_without_members_and_newcomers(stream):
    assert stream.idle
    stream.delivery.holds.append([])
    assert not stream.idle
