"""The oracle of the load test: trackers of sockets against the ledger of acknowledgements."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.core.oracle import DeliveryTracker, FaultCounts, record_resume, record_snapshot, record_unexpected
from loadtest.load.ack_ledger import AckLedger, judge_run


def follow(seqs: list[int], *, first: int = 1) -> tuple[DeliveryTracker, FaultCounts]:
    tracker, counts = DeliveryTracker(first, first), FaultCounts()
    for seq in seqs:
        if seq == tracker.next_seq:
            tracker.next_seq += 1
        else:
            record_unexpected(tracker, seq, counts)
    return tracker, counts


def ledger(*seqs: int) -> AckLedger:
    made = AckLedger()
    for seq in seqs:
        made.record(seq, 1, seq, AckLedger.ACKED)
        made.record(seq, 1, seq, AckLedger.RECEIVED)
    return made


def lost(tracker: DeliveryTracker, *sent: int) -> int:
    return judge_run({"room": ledger(*sent)}, {"room": [tracker]}, set()).lost


def test_a_stream_in_order_has_no_faults() -> None:
    tracker, counts = follow([1, 2, 3])
    assert counts == FaultCounts()
    assert judge_run({"room": ledger(1, 2, 3)}, {"room": [tracker]}, set()) == (0, 0, 3)


def test_a_gap_is_lost_and_a_missing_end_too() -> None:
    assert lost(follow([1, 3])[0], 1, 2, 3) == 1
    assert lost(follow([1])[0], 1, 2, 3) == 2


def test_two_swapped_messages_are_one_out_of_order_and_none_lost() -> None:
    tracker, counts = follow([2, 1, 3])
    assert (counts.out_of_order, counts.duplicated, lost(tracker, 1, 2, 3)) == (1, 0, 0)


def test_a_message_that_arrives_again_is_duplicated() -> None:
    assert follow([1, 2, 2, 1])[1].duplicated == 2


def test_a_sequence_number_taken_by_a_phantom_is_not_lost_as_well() -> None:
    tracker = DeliveryTracker(1, 1)
    tracker.phantom_seqs.add(1)
    record_unexpected(tracker, 2, FaultCounts())
    assert lost(tracker, 2) == 0


def test_a_socket_that_has_left_is_owed_nothing_more() -> None:
    tracker, _ = follow([1, 2])
    tracker.has_left = True
    assert judge_run({"room": ledger(1, 2, 3, 4)}, {"room": [tracker]}, set()) == (0, 0, 2)


def test_a_resume_contains_what_was_missed() -> None:
    tracker, counts = follow([1, 2])
    record_resume(tracker, [3, 4, 5], 5, counts)
    assert (counts, tracker.next_seq, lost(tracker, 1, 2, 3, 4, 5)) == (FaultCounts(), 6, 0)


def test_a_message_that_is_not_in_the_resume_is_lost_and_a_join_is_not() -> None:
    tracker, counts = follow([1, 2])
    record_resume(tracker, [3, 5], 6, counts)  # 4 was a message, 6 was a join, which a later change contains
    assert lost(tracker, 1, 2, 3, 4, 5) == 1


def test_a_resume_can_contain_duplicates_and_messages_out_of_order() -> None:
    tracker, counts = follow([1, 2])
    record_resume(tracker, [2, 4, 3, 4], 4, counts)
    assert (counts.duplicated, counts.out_of_order) == (2, 1)


def test_after_a_snapshot_the_skipped_messages_are_not_owed() -> None:
    tracker, _ = follow([1])
    record_snapshot(tracker, 3)
    tracker.next_seq = 5
    assert judge_run({"room": ledger(1, 2, 3, 4)}, {"room": [tracker]}, set()) == (0, 0, 2)


def test_a_message_that_arrives_and_was_neither_acked_nor_sent_is_a_phantom() -> None:
    made = ledger(1)
    made.record(2, 7, 0, AckLedger.RECEIVED)
    assert judge_run({"room": made}, {}, set()).phantom == 1
    assert judge_run({"room": made}, {}, {(7, 0)}).phantom == 0


def test_a_message_with_the_sequence_number_of_another_is_a_phantom() -> None:
    made = AckLedger()
    made.record(1, 7, 0, AckLedger.ACKED)
    made.record(1, 7, 1, AckLedger.RECEIVED)
    assert judge_run({"room": made}, {}, set()).phantom == 1


def test_reports_may_arrive_in_any_order() -> None:
    made = ledger(30, 10, 20, 20)
    assert (made.count_messages(10, 30), made.count_messages(11, 29), made.last, made.is_message(15)) == (
        3,
        1,
        30,
        False,
    )
    assert made.waiting == {}


@settings(deadline=None)
@given(st.integers(0, 40), st.data())
def test_the_oracle_agrees_with_a_plain_count(sent: int, data: st.DataObject) -> None:
    seqs = data.draw(st.lists(st.integers(1, sent)) if sent else st.just([]))
    tracker, counts = follow(seqs)
    assert lost(tracker, *range(1, sent + 1)) == sent - len(set(seqs))
    assert counts.duplicated == len(seqs) - len(set(seqs))
    late = sum(seq not in seqs[:at] and seq < max(seqs[:at], default=0) for at, seq in enumerate(seqs))
    assert counts.out_of_order == late
