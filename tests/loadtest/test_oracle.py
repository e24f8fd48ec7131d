"""The oracle finds what is lost, doubled or out of order, and nothing else."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.bench.client.oracle import Oracle


def judge(arrivals: Iterable[int], said: int, senders: int = 1) -> dict[str, int]:
    """What an oracle says of one member to whom these came, when so many were said."""
    oracle = Oracle(senders)
    track = oracle.new_track()
    for number in arrivals:
        oracle.unexpected(track, number)
    oracle.settle([track], said)
    return oracle.take_counts()


def counts(lost: int = 0, duplicate: int = 0, reordered: int = 0, stale: int = 0) -> dict[str, int]:
    return {"lost": lost, "duplicate": duplicate, "reordered": reordered, "stale": stale}


def test_a_clean_stream_is_clean() -> None:
    assert judge(range(20), 20) == counts()
    assert judge(range(20), 20, senders=8) == counts()


def test_a_hole_is_a_loss() -> None:
    assert judge([0, 1, 3, 4], 5) == counts(lost=1)


def test_a_missing_end_is_a_loss() -> None:
    assert judge([0, 1, 2], 5) == counts(lost=2)


def test_nothing_at_all_is_all_lost() -> None:
    assert judge([], 7, senders=3) == counts(lost=7)


def test_the_same_twice_is_a_duplicate() -> None:
    assert judge([0, 1, 1, 2, 0], 3) == counts(duplicate=2)


def test_one_that_comes_late_is_out_of_order_and_not_lost() -> None:
    assert judge([0, 2, 1, 3], 4) == counts(reordered=1)


def test_a_late_one_that_comes_twice_is_both() -> None:
    assert judge([0, 2, 1, 1], 3) == counts(duplicate=1, reordered=1)


def test_two_senders_may_overtake_each_other() -> None:
    assert judge([1, 0, 3, 5, 2, 4], 6, senders=2) == counts()


def test_one_sender_may_not_overtake_himself() -> None:
    assert judge([0, 3, 1, 2], 4, senders=2) == counts(reordered=1)


def test_after_the_judgement_everything_starts_anew() -> None:
    oracle = Oracle(senders=2)
    track = oracle.new_track()
    oracle.unexpected(track, 0)
    oracle.settle([track], 3)
    assert oracle.take_counts() == counts(lost=2)
    for number in (1, 3, 4):  # 1 was given up before
        oracle.unexpected(track, number)
    oracle.settle([track], 5)
    assert oracle.take_counts() == counts(stale=1)


def test_a_late_member_is_not_owed_what_was_said_before() -> None:
    oracle = Oracle(senders=3)
    oracle.settle([], 10)
    track = oracle.new_track()
    for number in (10, 11, 12):
        oracle.unexpected(track, number)
    oracle.settle([track], 13)
    assert oracle.take_counts() == counts()


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 5), st.data())
def test_against_a_plain_count(said: int, senders: int, data: st.DataObject) -> None:
    """Any subset, any repetition, any order: what never came is lost, what came again is double."""
    arrivals = data.draw(st.lists(st.integers(0, said - 1)) if said else st.just([]))
    told = judge(arrivals, said, senders)
    assert told["lost"] == said - len(set(arrivals))
    assert told["duplicate"] == len(arrivals) - len(set(arrivals))
    late = 0
    highest: dict[int, int] = {}
    for place, number in enumerate(arrivals):
        sender = number % senders
        late += number not in arrivals[:place] and number < highest.get(sender, -1)
        highest[sender] = max(number, highest.get(sender, -1))
    assert told["reordered"] == late
