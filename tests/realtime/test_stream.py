"""The order of events in one stream."""

import pytest

from channels_realtime.stream import Event, Stream


def event(seq):
    return Event(seq, str(seq))


@pytest.fixture
def stream():
    made = Stream("s", "")
    made.advance([], 5)
    return made


def ready(stream):
    return [event.seq for event in stream.delivery.ready]


def test_the_next_event_becomes_ready_and_early_events_wait(stream):
    assert not stream.add_events([event(8)])
    assert not stream.add_events([event(7)])
    assert (stream.last, stream.known, ready(stream)) == (5, 8, [])
    assert stream.add_events([event(6)])
    assert (stream.last, stream.known, ready(stream), stream.early) == (8, 8, [6, 7, 8], {})


@pytest.mark.parametrize("seq", [1, 5])
def test_an_old_event_is_dropped(stream, seq):
    assert not stream.add_events([event(seq)])
    assert (stream.last, stream.known, ready(stream), stream.early) == (5, 5, [], {})


def test_advancing_skips_overwritten_events_and_continues_with_early_ones(stream):
    for early in (7, 9, 10):
        stream.add_events([event(early)])
    assert stream.advance([event(6), event(8)], 8)  # the row of event 7 changed again later
    assert (stream.last, ready(stream), stream.early) == (10, [6, 8, 9, 10], {})


def test_a_stream_never_goes_back(stream):
    assert not stream.advance([event(4), event(5)], 5)
    assert not stream.advance([event(3)], 3)
    assert (stream.last, ready(stream)) == (5, [])


def test_a_stream_is_unused_without_members_and_pending_joins(stream):
    assert stream.is_unused
    stream.delivery.pending_joins.append([])
    assert not stream.is_unused
