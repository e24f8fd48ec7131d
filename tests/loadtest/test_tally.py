"""What the master makes of reports."""

from typing import Any

from loadtest.histogram import Recorder
from loadtest.oracle import Book
from loadtest.tally import COUNTED, NAMED, Tally

SECOND = 1_000_000_000


def report(tally: Tally, second: float, **changes: Any) -> dict[str, Any]:
    recorder = Recorder()
    recorder.add("delivery", 20_000_000)
    return {
        **dict.fromkeys(COUNTED, 0),
        **{name: {} for name in NAMED},
        "at": tally.began + int(second * SECOND),
        "phase": 0,
        "ready": 10,
        "waiting": 0,
        "here": 10,
        "latencies": recorder.take(),
        "notes": [],
        "cpu": second / 2,
        "waited": 0.0,
        "rss": 1,
        **changes,
    }


def test_reports_of_two_workers_make_one_row_a_second() -> None:
    tally = Tally()
    tally.counting.add(0)
    for second in range(6):
        for worker in ("a", "b"):
            tally.heard(worker, report(tally, second + 0.5, deliveries=100, sent=1))
    tally.finish()
    assert [row["second"] for row in tally.rows] == list(range(6))
    assert {(row["deliveries"], row["sent"], row["sockets"]) for row in tally.rows} == {(200, 2, 20)}
    assert {row["generator_cpu"] for row in tally.rows[1:]} == {0.5}
    assert {row["latency_ms"]["delivery"]["count"] for row in tally.rows} == {2}
    assert tally.measured.summary()["deliveries"] == 1200
    assert (tally.ready, tally.here) == (20, 20)


def test_a_row_has_the_sockets_of_its_own_second() -> None:
    tally = Tally()
    for second, ready in enumerate((10, 3, 7, 10, 10, 10)):
        tally.heard("a", report(tally, second + 0.5, ready=ready))
    tally.finish()
    assert [row["sockets"] for row in tally.rows] == [10, 3, 7, 10, 10, 10]


def test_what_does_not_count_is_told_and_not_measured() -> None:
    tally = Tally()
    tally.heard("a", report(tally, 0.5, phase=-1, deliveries=5, failed={"429": 2}))
    assert tally.total.summary()["deliveries"] == 5
    assert tally.total.named["failed"] == {"429": 2}
    assert tally.measured.summary()["deliveries"] == 0


def test_an_ack_owes_a_delivery_to_each_member() -> None:
    tally = Tally()
    tally.members.update({"harbour": 30, "quay": 2})
    notes = [("harbour", 5, 1, 0, Book.ACKED), ("quay/7", 0, 7, 0, Book.ACKED), ("harbour", 5, 1, 0, Book.SEEN)]
    tally.heard("a", report(tally, 0.5, notes=notes))
    assert tally.owed == 32
    assert tally.books["harbour"].waiting == {}
