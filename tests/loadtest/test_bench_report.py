"""From measured rounds to the table, the notes and the last line."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench import table
from loadtest.bench.fanout import format_last_line
from loadtest.bench.measure import RoomLoad, find_void_reason
from loadtest.bench.nginx_proxy import listen_on_loopback
from loadtest.bench.result import merge_rounds, save_result


def phase(us: float, **more: Any) -> Any:
    found: dict[str, Any] = {
        "us_per_delivery": {"server": us - 2.0, "nginx": 2.0, "total": us},
        "deliveries": 1_000,
        "frames": 250,
        "bytes": 122_000,
        "deliveries_per_s": 50_000.4,
        "client_busy": 0.5,
        "lost": 0,
        "duplicated": 0,
        "out_of_order": 0,
        "problems": {},
        "overloaded": False,
        "rate": 15.0,
        "void": "",
    }
    return found | more


def result(name: str, us: float, size: int = 1_000, **more: Any) -> Any:
    times = {"p50": 5.0, "p95": 9.0, "p99": 12.34, "max": 20.0}
    return {
        "contender": name,
        "title": name.title(),
        "size": size,
        "accept_ms": {"total": 0.456},
        "kib_per_socket": {"total": 28.04},
        "low_rate": phase(us + 1, latency_ms=times),
        "high_rate": phase(us, latency_ms=times),
        "saturation": phase(us - 1),
        **more,
    }


def test_the_table_shows_every_figure_in_its_row() -> None:
    lines = table.render_results([result("parley-tls", 12.5)], {}).splitlines()
    (cost,) = [line for line in lines if line.startswith("Parley-Tls") and "server" in line]
    (care,) = [line for line in lines if line.startswith("Parley-Tls") and "ms" not in line and line != cost]
    words = "Parley-Tls 13.5 12.5 (server 10.5, nginx 2.0) 11.5 (server 9.5, nginx 2.0) 50,000 0.25 122"
    assert " ".join(cost.split()) == words
    assert " ".join(care.split()) == "Parley-Tls 5.0 / 9.0 / 12.3 0 / 0 / 0 28.0 0.46 50% / 50%"


def test_the_columns_stand_below_each_other() -> None:
    lines = (
        table.build_table(table.COST_COLUMNS, [result("a", 5.0), result("much-longer", 500.0)])
        .to_text(rule=True)
        .splitlines()
    )
    assert len({len(line) for line in lines}) == 1


def test_an_overloaded_contender_shows_its_low_rate_and_a_note_says_so() -> None:
    late = {"p50": 4_000.0, "p95": 5_000.0, "p99": 6_000.0}
    text = table.render_results(
        [result("tutorial", 300.0, high_rate=phase(300.0, latency_ms=late, overloaded=True))], {}
    )
    assert "5.0 / 9.0 / 12.3 low rate" in text
    assert "overloaded: Tutorial does not keep up with 15 messages/s" in text


def test_faults_of_all_phases_are_added_and_problems_are_listed() -> None:
    broken = phase(5.0, lost=7, duplicated=1, problems={"-ERR": 3})
    text = table.render_results([result("nats", 5.0, saturation=broken, low_rate=phase(5.0, out_of_order=2))], {})
    assert "7 / 1 / 2" in text
    assert "Nats, saturation: 3 x -ERR" in text


def test_a_quick_run_has_no_low_rate_and_a_small_room_no_memory() -> None:
    quick = result("parley", 10.0, kib_per_socket={}, accept_ms={})
    del quick["low_rate"]
    lines = table.render_results([quick], {}).splitlines()
    assert [" ".join(line.split()) for line in lines if line.startswith("Parley")] == [
        "Parley - 10.0 (server 8.0, nginx 2.0) 9.0 (server 7.0, nginx 2.0) 50,000 0.25 122",
        "Parley 5.0 / 9.0 / 12.3 0 / 0 / 0 - - 50% / 50%",
    ]


def test_void_phases_and_skipped_contenders_are_listed() -> None:
    text = table.render_results(
        [result("nchan", 5.0, high_rate=phase(5.0, void="the client was busy"))], {"nats": "not installed"}
    )
    assert "VOID: Nchan, high_rate: the client was busy" in text
    assert "skipped: nats: not installed" in text


def test_the_last_line_is_what_scripts_read() -> None:
    found = [result("parley-tls", 10.24), result("tutorial-tls", 298.0), result("nchan-tls", 9.0, size=10)]
    assert format_last_line(found) == "fanout n=1000 total_us parley=10.2 tutorial=298.0 socketio=none nchan=none"


def test_a_void_figure_does_not_reach_the_last_line() -> None:
    found = [result("parley-tls", 10.24, high_rate=phase(10.24, void="the client was busy"))]
    assert "parley=none" in format_last_line(found)


def test_rounds_become_medians_but_no_fault_is_hidden_behind_one() -> None:
    rounds = [
        {"us": {"total": us}, "lost": lost, "overloaded": late, "name": "x"}
        for us, lost, late in [(9.0, 0, False), (30.0, 5, True), (10.0, 0, False)]
    ]
    assert merge_rounds(rounds) == {"us": {"total": 10.0}, "lost": 5, "overloaded": True, "name": "x"}


def test_a_group_that_is_missing_in_one_round_is_taken_from_the_others() -> None:
    assert merge_rounds([{"a": 1.0}, {"a": 3.0, "b": 4.0}]) == {"a": 2.0, "b": 4.0}


def test_the_file_has_its_version_the_date_the_versions_and_few_digits(tmp_path: Path) -> None:
    path = save_result({"results": [{"us": 10.123456}]}, {"nginx": "1.22.1"}, folder=tmp_path)
    saved = json.loads(path.read_text())
    assert saved["version"] == 2
    assert saved["results"] == [{"us": 10.12}]
    assert saved["versions"] == {"nginx": "1.22.1"}
    assert saved["measured_at"].startswith(path.stem)


@pytest.mark.parametrize(
    ("do", "client", "servers", "void"),
    [
        ("fixed", 0.50, 0.9, False),
        ("fixed", 0.90, 0.9, True),
        ("saturate", 0.90, 0.9, False),
        ("saturate", 0.99, 0.5, True),
        ("saturate", 0.99, 0.98, False),
    ],
)
def test_a_client_that_measures_itself_makes_a_run_void(do: str, client: float, servers: float, *, void: bool) -> None:
    kind = {"window": 2} if do == "saturate" else {"rate": 15.0}
    figures: Any = {"client_busy": client, "servers_busy": servers, "deliveries": 1, **kind}
    assert bool(find_void_reason(figures)) is void


def test_nothing_delivered_is_void() -> None:
    figures: Any = {"client_busy": 0.0, "servers_busy": 0.0, "deliveries": 0, "rate": 15.0}
    assert find_void_reason(figures) == "nothing was delivered"


def test_rates_make_rooms_comparable_and_stay_within_reason() -> None:
    assert [RoomLoad.of_size(size, 1).high_rate for size in (10, 100, 1_000, 5_000)] == [100, 100, 15, 3]
    assert [RoomLoad.of_size(size, 1).low_rate for size in (10, 100, 1_000, 5_000)] == [100, 20, 2, 1]
    assert [RoomLoad.of_size(size, 1).window for size in (10, 100, 1_000, 5_000)] == [32, 20, 2, 2]


def test_nginx_listens_on_loopback_only() -> None:
    text = "listen 0.0.0.0:8443 ssl http2 default_server;\nlisten [::]:8443 ssl http2 default_server;\nserver_name x;\n"
    assert listen_on_loopback(text) == "listen 127.0.0.1:8443 ssl http2 default_server;\nserver_name x;\n"
