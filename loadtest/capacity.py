"""How much hardware a number of people needs, from what runs have measured.

    python -m loadtest.capacity --from fanout.json --from many-rooms.json --users 20000 --members 50 --rate 100
    python -m loadtest.capacity --from fanout.json --from many-rooms.json --check hot-room.json

The formula, its assumptions and how far it was off are in README.md.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from loadtest.stored import BadResult, load

BUSY = 0.6  # of a core, that is planned for: the rest is for bursts and for a host that is gone
PUBLISHES_A_SHARD = 20_000  # a second, of one Redis process at half its core
SPARE_MIB = 512  # of a host, for everything else
WITHIN = 0.25  # of the measured value, for a prediction to count as right
WS = "ws"


@dataclass(frozen=True)
class Costs:
    """CPU seconds by group of processes, and KiB. Of the kind of machine on which the runs were made."""

    message: Mapping[str, float]
    delivery: Mapping[str, float]
    socket_kib: Mapping[str, float]
    accept: float  # CPU seconds until a socket is in its rooms, all groups together
    base_mib: Mapping[str, float]  # of one process of the group, without sockets


@dataclass(frozen=True)
class Demand:
    """At the busiest moment."""

    users: int  # with a socket each
    members: float  # of a room, on average over messages: one large and busy room counts by its messages
    rate: float  # messages a second, of all rooms
    cores: int = 2  # of a host
    back_within: float = 60.0  # seconds in which everybody is to be back after a restart

    @property
    def deliveries(self) -> float:
        return self.rate * self.members


@dataclass(frozen=True)
class Capacity:
    """What that takes."""

    cores: dict[str, float] = field(default_factory=dict)  # busy, by group
    ws_processes: int = 1
    nginx_workers: int = 1
    mib: float = 0.0
    hosts: int = 1
    redis_shards: int = 1
    transactions: float = 0.0  # a second
    storm_cores: float = 0.0  # while everybody comes back


def group(name: str) -> str:
    """ws1 and ws2 are of one kind."""
    return name.rstrip("0123456789")


def costs(runs: Sequence[dict[str, Any]]) -> Costs:
    """From runs with figures of the server. With two or more that differ in the size of rooms, what a message costs
    is told from what a delivery costs; with one, the delivery bears it all. Raises BadResult."""
    if not runs or any(not run.get("server") for run in runs):
        raise BadResult("Costs need runs that have measured the server: local ones, or with --server-pids.")
    names = sorted({group(name) for run in runs for name in run["server"]["cpu"]})
    message, delivery = {}, {}
    for name in names:
        rows = [(*_rates(run), _cpu(run, name)) for run in runs]
        message[name], delivery[name] = fitted(rows)
    best = max(runs, key=lambda run: run["plan"]["sockets"])  # the more sockets, the less the beginning disturbs
    server, sockets = best["server"], best["plan"]["sockets"]
    base: dict[str, float] = {}
    each: dict[str, float] = {}
    for name, mib in server["mib"].items():
        kib = server["kib_per_socket"][name]
        each[group(name)] = each.get(group(name), 0.0) + kib
        base[group(name)] = max(base.get(group(name), 0.0), mib - kib * sockets / 1024)
    return Costs(message, delivery, each, server["accept_ms"] / 1e3, base)


def _rates(run: dict[str, Any]) -> tuple[float, float]:
    return run["rates"]["messages_per_s"], run["rates"]["deliveries_per_s"]


def _cpu(run: dict[str, Any], name: str) -> float:
    return float(sum(share for one, share in run["server"]["cpu"].items() if group(one) == name))


def fitted(rows: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Cost of a message and of a delivery, from (messages/s, deliveries/s, cores busy): least squares of the relative
    errors, and nothing costs less than nothing."""
    rows = [(m / c, d / c, 1.0) for m, d, c in rows if c > 0]
    mm, dd = sum(m * m for m, _, _ in rows), sum(d * d for _, d, _ in rows)
    md, m1, d1 = sum(m * d for m, d, _ in rows), sum(m for m, _, _ in rows), sum(d for _, d, _ in rows)
    only_deliveries = (0.0, d1 / dd if dd else 0.0)
    if (whole := mm * dd - md * md) < 1e-6 * mm * dd or len(rows) < 2:
        return only_deliveries
    message, delivery = (m1 * dd - d1 * md) / whole, (d1 * mm - m1 * md) / whole
    if message < 0:
        return only_deliveries
    return (m1 / mm, 0.0) if delivery < 0 else (message, delivery)


def cores(one: Costs, messages: float, deliveries: float) -> dict[str, float]:
    """Busy, by group."""
    return {name: one.message[name] * messages + one.delivery[name] * deliveries for name in one.message}


def capacity(one: Costs, demand: Demand) -> Capacity:
    """The formula."""
    busy = cores(one, demand.rate, demand.deliveries)
    storm = demand.users * one.accept / demand.back_within
    ws = max(1, ceil(busy.get(WS, 0.0) / BUSY))
    nginx = max(1, ceil(busy.get("nginx", 0.0) / BUSY))
    mib = sum(kib * demand.users / 1024 for kib in one.socket_kib.values())
    mib += one.base_mib.get(WS, 0.0) * ws + sum(base for name, base in one.base_mib.items() if name != WS)
    # Each message rings once in Redis, and once more for each process that has a member of its room.
    rings = demand.rate * (1 + min(ws, demand.members))
    return Capacity(
        cores=busy,
        ws_processes=ws,
        nginx_workers=nginx,
        mib=mib + SPARE_MIB,
        hosts=max(1, ceil(max(sum(busy.values()) / BUSY, storm) / demand.cores)),
        redis_shards=max(1, ceil(rings / PUBLISHES_A_SHARD)),
        transactions=demand.rate,
        storm_cores=storm,
    )


def checked(one: Costs, run: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Predicted and measured, of a run that the costs were not taken from."""
    messages, deliveries = _rates(run)
    predicted = sum(cores(one, messages, deliveries).values())
    measured = sum(run["server"]["cpu"].values())
    sockets = run["plan"]["sockets"]
    mib = sum(one.socket_kib.values()) * sockets / 1024
    return [
        ("cores busy", predicted, measured),
        ("MiB for sockets", mib, sum(run["server"]["kib_per_socket"].values()) * sockets / 1024),
        ("CPU ms to accept", one.accept * 1e3, run["server"]["accept_ms"]),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="runs", action="append", type=Path, required=True, help="a measured run")
    parser.add_argument("--users", type=int, default=10_000, help="with an open socket, at the busiest moment")
    parser.add_argument("--members", type=float, default=50, help="of the room in which a message is said")
    parser.add_argument("--rate", type=float, default=50, help="messages a second, of all rooms")
    parser.add_argument("--cores", type=int, default=2, help="of a host")
    parser.add_argument("--back-within", type=float, default=60, help="seconds for all to be back after a restart")
    parser.add_argument("--check", type=Path, help="a run to compare the prediction with")
    asked = parser.parse_args()
    try:
        one = costs([load(path) for path in asked.runs])
        if asked.check:
            return check(one, load(asked.check))
    except BadResult as wrong:
        print(f"capacity: {wrong}", file=sys.stderr)
        return 2
    demand = Demand(asked.users, asked.members, asked.rate, asked.cores, asked.back_within)
    told(one, demand, capacity(one, demand))
    return 0


def told(one: Costs, demand: Demand, needed: Capacity) -> None:
    print(f"{demand.users:,} users, {demand.rate:g} messages/s to {demand.members:g} members: ", end="")
    print(f"{demand.deliveries:,.0f} deliveries/s\n")
    for name in one.message:
        print(
            f"  {name:8} {one.message[name] * 1e3:8.3f} ms a message, {one.delivery[name] * 1e6:7.2f} us a delivery, "
            f"{one.socket_kib.get(name, 0):6.1f} KiB a socket: {needed.cores[name]:.2f} cores busy"
        )
    print(f"\n  ws processes        {needed.ws_processes}")
    print(f"  nginx workers       {needed.nginx_workers}")
    print(f"  memory              {needed.mib:,.0f} MiB")
    print(f"  Redis shards        {needed.redis_shards}")
    print(f"  database            {needed.transactions:g} posts a second, at most as many transactions")
    print(f"  everybody back      {needed.storm_cores:.1f} cores for {demand.back_within:g} s")
    print(f"  hosts of {demand.cores} cores    {needed.hosts}")


def check(one: Costs, run: dict[str, Any]) -> int:
    worst = 0.0
    for name, predicted, measured in checked(one, run):
        error = abs(predicted - measured) / measured if measured else 0.0
        worst = max(worst, error)
        print(f"  {name:18} predicted {predicted:10.3f}  measured {measured:10.3f}  off by {error:.0%}")
    print("within 25%" if worst <= WITHIN else "further off than 25%")
    return 0 if worst <= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
