"""The token bucket allows a burst, then a steady rate."""

import pytest

from channels_realtime.rate_limit import TokenBucket


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_bucket_allows_its_burst_at_once_and_then_returns_the_seconds_to_wait(clock):
    bucket = TokenBucket(10, 3, clock)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == pytest.approx(0.1)
    clock.now += 0.04
    assert bucket.take() == pytest.approx(0.06)  # a refused take() costs no token
    clock.now += 0.06 + 1e-9
    assert bucket.take() == 0
    assert bucket.take() > 0


def test_a_bucket_never_holds_more_than_its_burst(clock):
    bucket = TokenBucket(10, 3, clock)
    clock.now += 1_000_000
    assert [bucket.take() == 0 for _ in range(4)] == [True, True, True, False]


def test_reserving_takes_tokens_in_advance(clock):
    bucket = TokenBucket(10, 2, clock)
    assert [bucket.reserve() for _ in range(4)] == pytest.approx([0, 0, 0.1, 0.2])
    assert bucket.peek() == pytest.approx(0.3)  # peek() takes no token
    clock.now += 0.2
    assert bucket.reserve() == pytest.approx(0.1)
