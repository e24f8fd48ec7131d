"""The oracle of the benchmark finds what is lost, duplicated or out of order, and nothing else."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.bench.client.member_loop import Member, MemberLoop
from loadtest.bench.client.protocols import PROTOCOLS
from loadtest.bench.message import make_tagger
from loadtest.core.socket_loop import DecodedFrames, Delivery


class Room:
    """Members of a room in which message n is sent by sender n % senders."""

    def __init__(self, senders: int = 1) -> None:
        self.senders = senders
        self.loop = MemberLoop(PROTOCOLS["plain"], senders, make_tagger())

    def join(self) -> Member:
        member = Member(self.loop, None, self.loop._new_trackers())  # type: ignore[arg-type]
        member.is_ready = True
        self.loop.members.append(member)
        return member

    def deliver(self, member: Member, numbers: Iterable[int]) -> None:
        for message in numbers:
            number, sender = divmod(message, self.senders)
            self.loop._deliver(member, DecodedFrames((Delivery(str(sender), number, 1),), 1))

    def judge(self, sent: int) -> dict[str, int]:
        lost = self.loop.finalize(sent)
        totals = self.loop.counts.take()
        return {"lost": lost} | {name: totals[name] for name in ("duplicated", "out_of_order", "stale")}


def judge(arrivals: Iterable[int], sent: int, senders: int = 1) -> dict[str, int]:
    """What the oracle finds for one member that has received these messages, if so many were sent."""
    room = Room(senders)
    room.deliver(room.join(), arrivals)
    return room.judge(sent)


def counts(lost: int = 0, duplicated: int = 0, out_of_order: int = 0, stale: int = 0) -> dict[str, int]:
    return {"lost": lost, "duplicated": duplicated, "out_of_order": out_of_order, "stale": stale}


def test_a_clean_stream_is_clean() -> None:
    assert judge(range(20), 20) == counts()
    assert judge(range(20), 20, senders=8) == counts()


def test_a_gap_is_a_loss() -> None:
    assert judge([0, 1, 3, 4], 5) == counts(lost=1)


def test_a_missing_end_is_a_loss() -> None:
    assert judge([0, 1, 2], 5) == counts(lost=2)


def test_without_a_delivery_all_messages_are_lost() -> None:
    assert judge([], 7, senders=3) == counts(lost=7)


def test_a_message_that_arrives_twice_is_a_duplicate() -> None:
    assert judge([0, 1, 1, 2, 0], 3) == counts(duplicated=2)


def test_a_late_message_is_out_of_order_and_not_lost() -> None:
    assert judge([0, 2, 1, 3], 4) == counts(out_of_order=1)


def test_a_late_message_that_arrives_twice_is_both() -> None:
    assert judge([0, 2, 1, 1], 3) == counts(duplicated=1, out_of_order=1)


def test_two_senders_may_overtake_each_other() -> None:
    assert judge([1, 0, 3, 5, 2, 4], 6, senders=2) == counts()


def test_messages_of_one_sender_may_not_overtake_each_other() -> None:
    assert judge([0, 3, 1, 2], 4, senders=2) == counts(out_of_order=1)


def test_after_the_judgement_the_counts_start_anew() -> None:
    room = Room(senders=2)
    member = room.join()
    room.deliver(member, [0])
    assert room.judge(3) == counts(lost=2)
    room.deliver(member, [1, 3, 4])  # 1 was given up before
    assert room.judge(5) == counts(stale=1)


def test_a_member_that_joins_later_is_not_owed_earlier_messages() -> None:
    room = Room(senders=3)
    room.judge(10)
    room.deliver(room.join(), [10, 11, 12])
    assert room.judge(13) == counts()


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 5), st.data())
def test_the_oracle_agrees_with_a_plain_count(sent: int, senders: int, data: st.DataObject) -> None:
    """Any subset, any repetition, any order: what never arrived is lost, what arrived again is a duplicate."""
    arrivals = data.draw(st.lists(st.integers(0, sent - 1)) if sent else st.just([]))
    found = judge(arrivals, sent, senders)
    assert found["lost"] == sent - len(set(arrivals))
    assert found["duplicated"] == len(arrivals) - len(set(arrivals))
    late = 0
    highest: dict[int, int] = {}
    for place, number in enumerate(arrivals):
        sender = number % senders
        late += number not in arrivals[:place] and number < highest.get(sender, -1)
        highest[sender] = max(number, highest.get(sender, -1))
    assert found["out_of_order"] == late
