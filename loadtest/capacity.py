"""How much hardware a number of users needs, from what runs have measured.

    python -m loadtest.capacity --from fanout.json --from many-rooms.json --users 20000 --members 50 --rate 100
    python -m loadtest.capacity --from fanout.json --from many-rooms.json --check hot-room.json

README.md has the formula, its assumptions, and how far its predictions were off.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import NamedTuple

from loadtest.core.result_file import BadResult
from loadtest.load.result import LoadResult, ServerSummary, read_result

PLANNED_BUSY = 0.6  # share of a core that is planned for: the rest is for bursts and for a host that has failed
PUBLISHES_PER_SHARD = 20_000  # a second, of one Redis process at half its core
SPARE_MIB = 512  # of a host, for everything else
MAX_ERROR = 0.25  # of the measured value, for a prediction to count as right
WS = "ws"


class CostSample(NamedTuple):
    """What one run has measured of one group of processes."""

    messages_per_s: float
    deliveries_per_s: float
    cores: float  # busy


class Prediction(NamedTuple):
    """A figure as the formula predicts it, and as a run has measured it."""

    name: str
    predicted: float
    measured: float


@dataclass(frozen=True)
class Costs:
    """What things cost on the kind of machine on which the runs were made, by group of processes.

    Attributes:
        message: CPU seconds.
        delivery: CPU seconds.
        socket_kib: memory of one socket.
        accept: CPU seconds until a socket is in its rooms, all groups together.
        base_mib: memory of one process of the group without sockets.
    """

    message: Mapping[str, float]
    delivery: Mapping[str, float]
    socket_kib: Mapping[str, float]
    accept: float
    base_mib: Mapping[str, float]


@dataclass(frozen=True)
class Demand:
    """What is asked for, at the busiest moment.

    Attributes:
        users: with one socket each.
        members: of a room, on average over messages: a large and busy room counts by its messages.
        rate: messages a second, of all rooms.
        cores: of a host.
        back_within: seconds in which all users reconnect after a restart.
    """

    users: int
    members: float
    rate: float
    cores: int = 2
    back_within: float = 60.0

    @property
    def deliveries(self) -> float:
        """Deliveries a second."""
        return self.rate * self.members


@dataclass(frozen=True)
class Capacity:
    """What that takes.

    Attributes:
        cores: busy, by group.
        ws_processes: WebSocket servers.
        nginx_workers: processes.
        mib: memory.
        hosts: with the demanded number of cores.
        redis_shards: processes.
        transactions: a second.
        storm_cores: busy while all users reconnect.
    """

    cores: dict[str, float] = field(default_factory=dict)
    ws_processes: int = 1
    nginx_workers: int = 1
    mib: float = 0.0
    hosts: int = 1
    redis_shards: int = 1
    transactions: float = 0.0
    storm_cores: float = 0.0


def group_of(name: str) -> str:
    """Return the group of a process: ws1 and ws2 are of the group ws."""
    return name.rstrip("0123456789")


def estimate_costs(runs: Sequence[LoadResult]) -> Costs:
    """Return costs from runs that have measured their server.

    Two or more runs that differ in the size of rooms tell what a message costs from what a delivery costs; with one
    run, all costs are those of deliveries.

    Raises:
        BadResult: a run has not measured its server.
    """
    servers = [run["server"] for run in runs]
    if not runs or any(not server for server in servers):
        raise BadResult("Costs need runs that have measured the server: local ones, or with --server-pids.")
    names = sorted({group_of(name) for server in servers if server for name in server["cpu"]})
    message, delivery = {}, {}
    for name in names:
        samples = [CostSample(*_rates(run), _cores_of(run["server"], name)) for run in runs if run["server"]]
        message[name], delivery[name] = fit_costs(samples)
    largest = max(runs, key=lambda run: run["plan"]["sockets"])  # with few sockets, the processes' own memory disturbs
    server, sockets = largest["server"], largest["plan"]["sockets"]
    assert server
    base: dict[str, float] = {}
    each: dict[str, float] = {}
    for name, mib in server["mib"].items():
        group, kib = group_of(name), server["kib_per_socket"][name]
        each[group] = each.get(group, 0.0) + kib
        base[group] = max(base.get(group, 0.0), mib - kib * sockets / 1024)
    return Costs(message, delivery, each, server["accept_ms"] / 1e3, base)


def _rates(run: LoadResult) -> tuple[float, float]:
    return run["rates"]["messages_per_s"], run["rates"]["deliveries_per_s"]


def _cores_of(server: ServerSummary, group: str) -> float:
    return float(sum(share for name, share in server["cpu"].items() if group_of(name) == group))


def fit_costs(samples: Sequence[CostSample]) -> tuple[float, float]:
    """Return the CPU seconds of a message and of a delivery, by least squares of the relative errors.

    Neither is below 0.
    """
    rows = [(messages / busy, deliveries / busy, 1.0) for messages, deliveries, busy in samples if busy > 0]
    mm, dd = sum(m * m for m, _, _ in rows), sum(d * d for _, d, _ in rows)
    md, m1, d1 = sum(m * d for m, d, _ in rows), sum(m for m, _, _ in rows), sum(d for _, d, _ in rows)
    only_deliveries = (0.0, d1 / dd if dd else 0.0)
    if (determinant := mm * dd - md * md) < 1e-6 * mm * dd or len(rows) < 2:
        return only_deliveries
    message, delivery = (m1 * dd - d1 * md) / determinant, (d1 * mm - m1 * md) / determinant
    if message < 0:
        return only_deliveries
    return (m1 / mm, 0.0) if delivery < 0 else (message, delivery)


def predict_cores(costs: Costs, messages: float, deliveries: float) -> dict[str, float]:
    """Return busy cores by group, for so many messages and deliveries a second."""
    return {name: costs.message[name] * messages + costs.delivery[name] * deliveries for name in costs.message}


def plan_capacity(costs: Costs, demand: Demand) -> Capacity:
    """Return what the demand takes."""
    busy = predict_cores(costs, demand.rate, demand.deliveries)
    storm = demand.users * costs.accept / demand.back_within
    ws = max(1, ceil(busy.get(WS, 0.0) / PLANNED_BUSY))
    nginx = max(1, ceil(busy.get("nginx", 0.0) / PLANNED_BUSY))
    mib = sum(kib * demand.users / 1024 for kib in costs.socket_kib.values())
    mib += costs.base_mib.get(WS, 0.0) * ws + sum(base for name, base in costs.base_mib.items() if name != WS)
    # Redis gets each message once, and sends it to each process with a member of its room.
    publishes = demand.rate * (1 + min(ws, demand.members))
    return Capacity(
        cores=busy,
        ws_processes=ws,
        nginx_workers=nginx,
        mib=mib + SPARE_MIB,
        hosts=max(1, ceil(max(sum(busy.values()) / PLANNED_BUSY, storm) / demand.cores)),
        redis_shards=max(1, ceil(publishes / PUBLISHES_PER_SHARD)),
        transactions=demand.rate,
        storm_cores=storm,
    )


def compare_with_run(costs: Costs, run: LoadResult) -> list[Prediction]:
    """Return predictions for a run that the costs were not taken from.

    Raises:
        BadResult: the run has not measured its server.
    """
    if not (server := run["server"]):
        raise BadResult("The run to check has not measured its server.")
    sockets = run["plan"]["sockets"]
    mib = sum(costs.socket_kib.values()) * sockets / 1024
    return [
        Prediction("cores busy", sum(predict_cores(costs, *_rates(run)).values()), sum(server["cpu"].values())),
        Prediction("MiB for sockets", mib, sum(server["kib_per_socket"].values()) * sockets / 1024),
        Prediction("CPU ms to accept", costs.accept * 1e3, server["accept_ms"]),
    ]


def main() -> int:
    """Print what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="runs", action="append", type=Path, required=True, help="a measured run")
    parser.add_argument("--users", type=int, default=10_000, help="users with an open socket, at the busiest moment")
    parser.add_argument("--members", type=float, default=50, help="members of the room of an average message")
    parser.add_argument("--rate", type=float, default=50, help="messages a second, of all rooms")
    parser.add_argument("--cores", type=int, default=2, help="cores of a host")
    parser.add_argument("--back-within", type=float, default=60, help="seconds for all to reconnect after a restart")
    parser.add_argument("--check", type=Path, help="a run to compare the prediction with")
    options = parser.parse_args()
    try:
        costs = estimate_costs([read_result(path) for path in options.runs])
        if options.check:
            return print_check(compare_with_run(costs, read_result(options.check)))
    except BadResult as error:
        print(f"capacity: {error}", file=sys.stderr)
        return 2
    demand = Demand(options.users, options.members, options.rate, options.cores, options.back_within)
    print_capacity(costs, demand, plan_capacity(costs, demand))
    return 0


def print_capacity(costs: Costs, demand: Demand, needed: Capacity) -> None:
    """Print costs and capacity."""
    print(f"{demand.users:,} users, {demand.rate:g} messages/s to {demand.members:g} members: ", end="")
    print(f"{demand.deliveries:,.0f} deliveries/s\n")
    for name in costs.message:
        message, delivery = costs.message[name] * 1e3, costs.delivery[name] * 1e6
        print(
            f"  {name:8} {message:8.3f} ms a message, {delivery:7.2f} us a delivery, "
            f"{costs.socket_kib.get(name, 0):6.1f} KiB a socket: {needed.cores[name]:.2f} cores busy"
        )
    print(f"\n  ws processes        {needed.ws_processes}")
    print(f"  nginx workers       {needed.nginx_workers}")
    print(f"  memory              {needed.mib:,.0f} MiB")
    print(f"  Redis shards        {needed.redis_shards}")
    print(f"  database            {needed.transactions:g} posts a second, at most as many transactions")
    print(f"  reconnect of all    {needed.storm_cores:.1f} cores for {demand.back_within:g} s")
    print(f"  hosts of {demand.cores} cores    {needed.hosts}")


def print_check(predictions: Sequence[Prediction]) -> int:
    """Print the predictions with their errors; return 0 if all are right, else 1."""
    worst = 0.0
    for name, predicted, measured in predictions:
        error = abs(predicted - measured) / measured if measured else 0.0
        worst = max(worst, error)
        print(f"  {name:18} predicted {predicted:10.3f}  measured {measured:10.3f}  off by {error:.0%}")
    print(f"within {MAX_ERROR:.0%}" if worst <= MAX_ERROR else f"further off than {MAX_ERROR:.0%}")
    return 0 if worst <= MAX_ERROR else 1


if __name__ == "__main__":
    sys.exit(main())
