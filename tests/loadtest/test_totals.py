"""What the master makes of reports."""

from typing import Any

from loadtest.core.latency import LatencyRecorder
from loadtest.load.ack_ledger import AckLedger
from loadtest.load.messages import AckRecord, WorkerReport
from loadtest.load.totals import RunTotals

SECOND = 1_000_000_000


def report(totals: RunTotals, second: float, **changes: Any) -> WorkerReport:
    recorder = LatencyRecorder()
    recorder.add("delivery", 20_000_000)
    made = WorkerReport(
        at=totals.began + int(second * SECOND),
        phase=0,
        registered=10,
        joined=10,
        unacked=0,
        sent=0,
        acked=0,
        frames=0,
        deliveries=0,
        duplicated=0,
        out_of_order=0,
        phantom=0,
        stale=0,
        counters={},
        latencies=recorder.take(),
        acks=[],
        cpu=second / 2,
        cpu_wait=0.0,
        rss=1,
    )
    return {**made, **changes}  # type: ignore[typeddict-item]


def test_reports_of_two_workers_make_one_row_a_second() -> None:
    totals = RunTotals()
    totals.counting.add(0)
    for second in range(6):
        for worker in ("a", "b"):
            totals.add_report(worker, report(totals, second + 0.5, deliveries=100, sent=1))
    totals.close()
    assert [row["second"] for row in totals.rows] == list(range(6))
    assert {(row["deliveries"], row["sent"], row["sockets"]) for row in totals.rows} == {(200, 2, 20)}
    assert {row["generator_cpu"] for row in totals.rows[1:]} == {0.5}
    assert {row["latency_ms"]["delivery"]["count"] for row in totals.rows} == {2}
    assert totals.measured.summarize()["deliveries"] == 1200
    assert (totals.joined, totals.registered) == (20, 20)


def test_a_row_has_the_sockets_of_its_own_second() -> None:
    totals = RunTotals()
    for second, joined in enumerate((10, 3, 7, 10, 10, 10)):
        totals.add_report("a", report(totals, second + 0.5, joined=joined))
    totals.close()
    assert [row["sockets"] for row in totals.rows] == [10, 3, 7, 10, 10, 10]


def test_a_phase_that_does_not_count_is_in_the_total_and_not_in_the_measured_figures() -> None:
    totals = RunTotals()
    totals.add_report("a", report(totals, 0.5, phase=-1, deliveries=5, counters={"failed": {"429": 2}}))
    assert totals.total.summarize()["deliveries"] == 5
    assert totals.total.counters.failed == {"429": 2}
    assert totals.measured.summarize()["deliveries"] == 0


def test_an_ack_owes_a_delivery_to_each_member() -> None:
    totals = RunTotals()
    totals.members.update({"harbour": 30, "quay": 2})
    acks = [
        AckRecord("harbour", 5, 1, 0, AckLedger.ACKED),
        AckRecord("quay/7", 0, 7, 0, AckLedger.ACKED),
        AckRecord("harbour", 5, 1, 0, AckLedger.RECEIVED),
    ]
    totals.add_report("a", report(totals, 0.5, acks=acks))
    assert totals.owed == 32
    assert totals.ledgers["harbour"].waiting == {}
