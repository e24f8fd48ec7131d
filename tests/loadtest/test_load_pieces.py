"""The small parts that the figures of a load test rest on."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.core.bundled_chat_protocol import decode_events
from loadtest.core.latency import LatencyHistogram, LatencyRecorder
from loadtest.core.message_tag import MessageTag, MessageTagger
from loadtest.load.clock import Offset, Sample
from loadtest.load.options import build_parser, build_plan, import_user_class
from loadtest.load.plan import BadPlan, Phase, Plan
from loadtest.load.server_usage import measure_slope

MS = 1_000_000


@given(st.integers(0, 10**6), st.integers(0, 10**8), st.integers(0, 10**18), st.integers(0, 400))
def test_a_message_is_recognized(user: int, number: int, due_at: int, characters: int) -> None:
    tagger, tag = MessageTagger("key", characters), MessageTag(user, number, due_at)
    text = tagger.build_text(tag)
    assert tagger.read_text(text) == tag
    assert tagger.find_tags(f'{{"body":"{text}"}}{{"body":"{text}"}}'.encode()) == [tag, tag]
    assert len(text) >= characters
    assert text == text.strip(), "servers strip blanks"


def test_a_message_that_was_changed_on_its_way_is_not_recognized() -> None:
    tagger = MessageTagger("key")
    text = tagger.build_text(MessageTag(1, 2, 3))
    assert tagger.read_text(text.replace("tide", "Tide")) is None
    assert tagger.read_text(text.replace("@000001", "@000004")) is None
    assert tagger.read_text(text[:-1]) is None
    assert tagger.read_text("Hello") is None
    assert MessageTagger("another run's").read_text(text) is None


def test_the_quickest_answer_has_the_best_offset() -> None:
    ahead = 5_000 * MS
    quick = Sample(asked=1_000 * MS, answered=1_001 * MS + ahead, received=1_002 * MS)
    slow = Sample(asked=2_000 * MS, answered=2_090 * MS + ahead, received=2_100 * MS)  # the way there took longer
    assert Offset.from_samples([slow, quick]) == Offset(ahead, MS)


def test_histograms_of_workers_add_up() -> None:
    merged = LatencyHistogram()
    for worker in range(2):
        recorder = LatencyRecorder()
        for ms in range(1, 51):
            recorder.add("delivery", (ms + 50 * worker) * MS)
        taken = recorder.take()
        assert recorder.take() == {}, "taken once"
        merged.merge(taken["delivery"])
    summary = merged.summarize()
    assert summary
    assert summary["count"] == 100
    assert [round(summary[name]) for name in ("p50", "p90", "p99", "max")] == [50, 90, 99, 100]
    again = LatencyHistogram()
    again.merge(base64.b64decode(base64.b64encode(merged.encode())))
    assert again.summarize() == summary


@given(st.integers(1, 40), st.floats(0.5, 300), st.floats(0.5, 20))
def test_the_schedule_is_even_and_every_user_sends(users: int, rate: float, seconds: float) -> None:
    phase = Phase("talk", seconds, rate, starts=10**12)
    times = sorted(one for user in range(users) for one in phase.send_times(user, users))
    assert len(times) == int(seconds * rate)
    assert times == [10**12 + round(number * 1e9 / rate) for number in range(len(times))]


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
        ({"cookies": ["x"], "sockets": 11}, "too many for 1 sessions"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change: dict[str, object], sentence: str) -> None:
    plan = Plan("fanout", "https://x", "k", ["a", "b"], sockets=10)
    assert plan.validate() is plan
    with pytest.raises(BadPlan, match=sentence):
        Plan.from_json({**plan.to_json(), **change}).validate()


def test_an_edit_has_a_sequence_number_and_is_not_a_new_message() -> None:
    frame = (
        b'{"type":"events","events":['
        b'{"room":"a","seq":4,"kind":"message","message":{"id":1,"seq":4,"rev":4,"body":"new"}},'
        b'{"room":"a","seq":5,"kind":"message","message":{"id":1,"seq":4,"rev":5,"body":"edited"}},'
        b'{"room":"a","seq":6,"kind":"member","member":{}}]}'
    )
    assert decode_events(frame) == [("a", 4, "new"), ("a", 5, None), ("a", 6, None)]
    assert decode_events(b'{"type":"ping","n":1}') is None
    with pytest.raises(ValueError, match="truncated"):
        decode_events(b'{"type":"events","events":[')


def test_a_slope_is_that_of_the_line() -> None:
    assert measure_slope([(0, 10.0), (1, 12.0), (2, 14.0)]) == pytest.approx(2.0)
    assert measure_slope([(3, 1.0), (3, 2.0)]) == 0.0


def test_a_flag_has_a_variable_and_overrides_it() -> None:
    env = {"LOAD_RATE": "3", "LOAD_SLO": "lost=0 p99_ack_ms=50", "LOAD_INSECURE": "true", "LOAD_QUICK": "false"}
    asked = build_parser(env).parse_args(["storm", "--members", "7"])
    assert (asked.rate, asked.members, asked.insecure, asked.quick) == (3.0, 7, True, False)
    assert asked.slo == ["lost=0", "p99_ack_ms=50"]
    assert build_parser(env).parse_args(["storm", "--rate", "9"]).rate == 9.0


def test_the_shape_is_that_of_the_scenario_unless_flags_change_it() -> None:
    asked = build_parser({}).parse_args(["many-rooms", "--rooms", "40"])
    plan = build_plan(asked, "https://chat.example.org/x", {"rooms": [], "cookies": ["a"] * 40}, verify=True)
    assert (plan.url, len(plan.rooms), plan.rooms_each, plan.sockets) == ("https://chat.example.org", 40, 4, 40)
    with pytest.raises(BadPlan, match="not the address of a site"):
        build_plan(asked, "chat.example.org", None, verify=True)


@pytest.mark.parametrize("path", ["nowhere:User", "loadtest.load.plan:Nobody", "missing.py:User", "loadtest.load.plan"])
def test_a_user_class_that_does_not_exist_is_refused(path: str) -> None:
    with pytest.raises(BadPlan, match="no user class"):
        import_user_class(path)
