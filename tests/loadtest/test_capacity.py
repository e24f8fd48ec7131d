"""From measured costs to hosts, with numbers that can be followed by hand."""

from typing import Any

import pytest

from loadtest.capacity import (
    Costs,
    CostSample,
    Demand,
    compare_with_run,
    estimate_costs,
    fit_costs,
    plan_capacity,
)
from loadtest.core.result_file import BadResult


def run(messages: float, deliveries: float, ws: float, nginx: float, sockets: int = 1000) -> Any:
    return {
        "plan": {"sockets": sockets},
        "rates": {"messages_per_s": messages, "deliveries_per_s": deliveries},
        "server": {
            "cpu": {"ws1": ws / 2, "ws2": ws / 2, "nginx": nginx},
            "mib": {"ws1": 110.0, "ws2": 110.0, "nginx": 60.0},
            "kib_per_socket": {"ws1": 16.0, "ws2": 16.0, "nginx": 40.0},
            "accept_ms": 2.0,
        },
    }


# A message costs ws 1 ms and a delivery 10 us; nginx 5 us a delivery and nothing a message.
LARGE = run(100, 10_000, ws=0.1 + 0.1, nginx=0.05)
SMALL = run(100, 400, ws=0.1 + 0.004, nginx=0.002)


def test_rooms_of_two_sizes_tell_the_cost_of_a_message_from_that_of_a_delivery() -> None:
    found = estimate_costs([LARGE, SMALL])
    assert found.message == pytest.approx({"ws": 1e-3, "nginx": 0}, abs=1e-9)
    assert found.delivery == pytest.approx({"ws": 10e-6, "nginx": 5e-6})
    assert found.socket_kib == {"ws": 32.0, "nginx": 40.0}
    assert found.base_mib["ws"] == pytest.approx(110 - 16 * 1000 / 1024)


def test_with_one_run_all_costs_are_those_of_deliveries() -> None:
    assert estimate_costs([LARGE]).delivery == pytest.approx({"ws": 20e-6, "nginx": 5e-6})


def test_no_cost_is_negative() -> None:
    assert fit_costs([CostSample(100, 1000, 1.0), CostSample(200, 1000, 0.5)])[0] == 0.0
    assert min(fit_costs([CostSample(100, 1000, 0.1), CostSample(100, 9000, 0.05)])) == 0.0


def test_a_run_with_the_same_costs_is_predicted() -> None:
    other = run(50, 20_000, ws=0.05 + 0.2, nginx=0.1)
    (name, predicted, measured), *_ = compare_with_run(estimate_costs([LARGE, SMALL]), other)
    assert (name, predicted) == ("cores busy", pytest.approx(measured))


def test_the_formula() -> None:
    one = Costs(
        {"ws": 1e-3, "nginx": 0.0},
        {"ws": 10e-6, "nginx": 5e-6},
        {"ws": 32, "nginx": 32},
        2e-3,
        {"ws": 100, "nginx": 20},
    )
    needed = plan_capacity(one, Demand(users=16_384, members=100, rate=100, cores=2, back_within=30))
    assert needed.cores == pytest.approx({"ws": 0.2, "nginx": 0.05})
    assert (needed.ws_processes, needed.nginx_workers, needed.redis_shards) == (1, 1, 1)
    assert needed.mib == pytest.approx(1024 + 100 + 20 + 512)
    assert needed.storm_cores == pytest.approx(1.09, abs=0.01)
    assert needed.hosts == 1
    more = plan_capacity(one, Demand(users=100_000, members=1000, rate=1000, cores=4))
    assert (more.ws_processes, more.hosts) == (19, 7)  # 11 and 5 cores at 60%
    assert plan_capacity(one, Demand(users=1, members=1000, rate=10_000)).redis_shards > 1


def test_a_run_without_its_server_has_no_costs() -> None:
    with pytest.raises(BadResult, match="server-pids"):
        estimate_costs([{**LARGE, "server": None}])
