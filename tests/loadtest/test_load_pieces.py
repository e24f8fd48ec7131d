"""The small parts that a load test's figures rest on."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.clock import Offset, Sample
from loadtest.histogram import Latencies, Recorder
from loadtest.mark import Mark, Marker
from loadtest.options import parser, plan_of, user_class
from loadtest.parley_protocol import events_in
from loadtest.plan import BadPlan, Phase, Plan
from loadtest.trend import slope

MS = 1_000_000


@given(st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**18), st.integers(0, 400))
def test_a_message_is_known_again(user: int, number: int, moment: int, characters: int) -> None:
    marker = Marker("key", characters)
    text = marker.text(Mark(user, number, moment))
    assert marker.read(text) == Mark(user, number, moment)
    assert len(text) >= characters
    assert text == text.strip(), "servers strip"


def test_what_was_changed_on_the_way_is_nobodys() -> None:
    marker = Marker("key")
    text = marker.text(Mark(1, 2, 3))
    assert marker.read(text.replace("tide", "Tide")) is None
    assert marker.read(text.replace("@000001", "@000004")) is None
    assert marker.read(text[:-1]) is None
    assert marker.read("Hello") is None
    assert Marker("another run's").read(text) is None


def test_the_quickest_answer_tells_the_offset_best() -> None:
    ahead = 5_000 * MS
    quick = Sample(asked=1_000 * MS, answered=1_001 * MS + ahead, heard=1_002 * MS)
    slow = Sample(asked=2_000 * MS, answered=2_090 * MS + ahead, heard=2_100 * MS)  # the way there took longer
    assert Offset.of([slow, quick]) == Offset(ahead, MS)


def test_histograms_of_workers_add_up() -> None:
    merged = Latencies()
    for worker in range(2):
        recorder = Recorder()
        for ms in range(1, 51):
            recorder.add("delivery", (ms + 50 * worker) * MS)
        taken = recorder.take()
        assert recorder.take() == {}, "taken once"
        merged.merge(taken["delivery"])
    summary = merged.summary()
    assert summary["count"] == 100
    assert [round(summary[name]) for name in ("p50", "p90", "p99", "max")] == [50, 90, 99, 100]
    again = Latencies()
    again.merge(base64.b64decode(base64.b64encode(merged.encode())))
    assert again.summary() == summary


@given(st.integers(1, 40), st.floats(0.5, 300), st.floats(0.5, 20))
def test_the_schedule_is_even_and_everybodys_turn_comes(users: int, rate: float, seconds: float) -> None:
    phase = Phase("talk", seconds, rate, starts=10**12)
    moments = sorted(moment for user in range(users) for moment in phase.due(user, users))
    assert len(moments) == int(seconds * rate)
    assert moments == [10**12 + round(number * 1e9 / rate) for number in range(len(moments))]


def test_rooms_have_equal_members() -> None:
    plan = Plan("fanout", "https://x", "k", [f"r{n}" for n in range(6)], sockets=12, rooms_each=2)
    of_room = {room: sum(room in plan.rooms_of(user) for user in range(12)) for room in plan.rooms}
    assert set(of_room.values()) == {4} == {plan.members}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sockets": 0}, "at least one"),
        ({"rooms_each": 3}, "3 of 2 rooms"),
        ({"rate": 100.0}, "20.0 for each"),
        ({"cookies": ["x"], "sockets": 11}, "too many for 1 people"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change: dict[str, object], sentence: str) -> None:
    plan = Plan("fanout", "https://x", "k", ["a", "b"], sockets=10)
    assert plan.checked() is plan
    with pytest.raises(BadPlan, match=sentence):
        Plan.from_json({**plan.to_json(), **change}).checked()


def test_an_edit_takes_a_place_and_is_no_new_message() -> None:
    frame = (
        b'{"type":"events","events":['
        b'{"room":"a","seq":4,"kind":"message","message":{"id":1,"seq":4,"rev":4,"body":"new"}},'
        b'{"room":"a","seq":5,"kind":"message","message":{"id":1,"seq":4,"rev":5,"body":"edited"}},'
        b'{"room":"a","seq":6,"kind":"member","member":{}}]}'
    )
    assert events_in(frame) == [("a", 4, "new"), ("a", 5, None), ("a", 6, None)]
    assert events_in(b'{"type":"ping","n":1}') is None
    with pytest.raises(ValueError, match="truncated"):
        events_in(b'{"type":"events","events":[')


def test_a_slope_is_that_of_the_line() -> None:
    assert slope([(0, 10.0), (1, 12.0), (2, 14.0)]) == pytest.approx(2.0)
    assert slope([(3, 1.0), (3, 2.0)]) == 0.0


def test_a_flag_has_a_variable_and_wins_over_it() -> None:
    env = {"LOAD_RATE": "3", "LOAD_SLO": "lost=0 p99_ack_ms=50", "LOAD_INSECURE": "true", "LOAD_QUICK": "false"}
    asked = parser(env).parse_args(["storm", "--members", "7"])
    assert (asked.rate, asked.members, asked.insecure, asked.quick) == (3.0, 7, True, False)
    assert asked.slo == ["lost=0", "p99_ack_ms=50"]
    assert parser(env).parse_args(["storm", "--rate", "9"]).rate == 9.0


def test_a_shape_is_the_scenarios_unless_asked_otherwise() -> None:
    asked = parser({}).parse_args(["many-rooms", "--rooms", "40"])
    plan = plan_of(asked, "https://chat.example.org/x", {"rooms": [], "cookies": ["a"] * 40}, verify=True)
    assert (plan.url, len(plan.rooms), plan.rooms_each, plan.sockets) == ("https://chat.example.org", 40, 4, 40)
    with pytest.raises(BadPlan, match="not the address of a site"):
        plan_of(asked, "chat.example.org", None, verify=True)


@pytest.mark.parametrize("path", ["nowhere:User", "loadtest.plan:Nobody", "missing.py:User", "loadtest.plan"])
def test_a_user_that_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(BadPlan, match="no user"):
        user_class(path)
