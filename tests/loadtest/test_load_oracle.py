"""The oracle of the load test, place by place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.oracle import Book, Counts, Track, caught_up, judge, started_afresh, unexpected


def follow(places: list[int], *, due: int = 1) -> tuple[Track, Counts]:
    track, counts = Track(due=due, start=due), Counts()
    for place in places:
        if place == track.due:
            track.due += 1
        else:
            unexpected(track, place, counts)
    return track, counts


def book(*places: int) -> Book:
    made = Book()
    for place in places:
        made.note(place, 1, place, Book.ACKED)
        made.note(place, 1, place, Book.SEEN)
    return made


def lost(track: Track, *said: int) -> int:
    return judge({"room": book(*said)}, {"room": [track]}, set()).lost


def test_all_in_order_is_all_well() -> None:
    track, counts = follow([1, 2, 3])
    assert counts == Counts()
    assert judge({"room": book(1, 2, 3)}, {"room": [track]}, set()) == (0, 0, 3)


def test_a_hole_is_lost_and_a_missing_end_too() -> None:
    assert lost(follow([1, 3])[0], 1, 2, 3) == 1
    assert lost(follow([1])[0], 1, 2, 3) == 2


def test_two_that_change_places_are_one_out_of_order_and_none_lost() -> None:
    track, counts = follow([2, 1, 3])
    assert (counts.out_of_order, counts.duplicated, lost(track, 1, 2, 3)) == (1, 0, 0)


def test_what_comes_again_is_doubled() -> None:
    assert follow([1, 2, 2, 1])[1].duplicated == 2


def test_a_place_taken_by_something_that_nobody_said_is_not_lost_as_well() -> None:
    track = Track(due=1, start=1)
    track.phantoms.add(1)
    unexpected(track, 2, Counts())
    assert lost(track, 2) == 0


def test_who_left_is_owed_nothing_after() -> None:
    track, _ = follow([1, 2])
    track.ended = True
    assert judge({"room": book(1, 2, 3, 4)}, {"room": [track]}, set()) == (0, 0, 2)


def test_what_was_missed_is_told_on_coming_back() -> None:
    track, counts = follow([1, 2])
    caught_up(track, [3, 4, 5], 5, counts)
    assert (counts, track.due, lost(track, 1, 2, 3, 4, 5)) == (Counts(), 6, 0)


def test_a_message_that_is_not_told_on_coming_back_is_lost_and_a_join_is_not() -> None:
    track, counts = follow([1, 2])
    caught_up(track, [3, 5], 6, counts)  # 4 was a message, 6 somebody's coming, told with a later change
    assert lost(track, 1, 2, 3, 4, 5) == 1


def test_what_is_told_twice_on_coming_back_is_doubled_and_backwards_out_of_order() -> None:
    track, counts = follow([1, 2])
    caught_up(track, [2, 4, 3, 4], 4, counts)
    assert (counts.duplicated, counts.out_of_order) == (2, 1)


def test_who_starts_afresh_is_not_owed_what_was_skipped() -> None:
    track, _ = follow([1])
    started_afresh(track, 3)
    track.due = 5
    assert judge({"room": book(1, 2, 3, 4)}, {"room": [track]}, set()) == (0, 0, 2)


def test_a_message_that_arrives_and_was_neither_acked_nor_sent_is_a_phantom() -> None:
    made = book(1)
    made.note(2, 7, 0, Book.SEEN)
    assert judge({"room": made}, {}, set()).phantom == 1
    assert judge({"room": made}, {}, {(7, 0)}).phantom == 0


def test_a_message_delivered_at_the_place_of_another_is_a_phantom() -> None:
    made = Book()
    made.note(1, 7, 0, Book.ACKED)
    made.note(1, 7, 1, Book.SEEN)
    assert judge({"room": made}, {}, set()).phantom == 1


def test_reports_may_come_in_any_order() -> None:
    made = book(30, 10, 20, 20)
    assert (made.messages(10, 30), made.messages(11, 29), made.last, made.is_message(15)) == (3, 1, 30, False)
    assert made.waiting == {}


@settings(deadline=None)
@given(st.integers(0, 40), st.data())
def test_against_a_plain_count(said: int, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(1, said)) if said else st.just([]))
    track, counts = follow(places)
    assert lost(track, *range(1, said + 1)) == said - len(set(places))
    assert counts.duplicated == len(places) - len(set(places))
    late = sum(place not in places[:at] and place < max(places[:at], default=0) for at, place in enumerate(places))
    assert counts.out_of_order == late
