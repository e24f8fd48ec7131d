"""How many posts a second one room takes on PostgreSQL, with GROUP_COMMIT off and on."""

import os
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.measure import add_costs, connect_members
from loadtest.bench.result import CommitsRow, merge_rounds
from loadtest.bench.servers import NotStarted, ServerProcesses
from loadtest.core.cpu_affinity import split_cores
from tests.postgres import Postgres

LISTENERS = 2  # enough to see that posts arrive; the comparison measures what a delivery costs
IN_FLIGHT_PER_SENDER = 4  # commands
DEFAULT_SENDERS = 64
WARM_UP_SECONDS = 1


def measure_commits(*, quick: bool, size: int | None, seconds: float | None) -> list[CommitsRow]:
    """Return one row for off and one for on: medians of rounds in which the two take turns on one PostgreSQL.

    Raises:
        NotStarted: PostgreSQL is not installed and could not be, or a server does not run.
    """
    is_installed = any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not is_installed and (why := install.install_debian_package("postgresql")):
        raise NotStarted(why)
    postgres = Postgres()
    try:
        pid = int((postgres.folder / "data/postmaster.pid").read_text().split()[0])
        os.sched_setaffinity(pid, split_cores().servers)  # for every connection made from now on
        rounds: dict[str, list[CommitsRow]] = {"off": [], "on": []}
        for number in range(1 if quick else 3):
            for setting, rows in rounds.items():
                url = postgres.url(f"{setting}{number}")
                contender = BundledChat(unix=True, database=url, database_pid=pid, env={"GROUP_COMMIT": setting})
                duration = seconds or (4 if quick else 10)
                rows.append(measure_posts(contender, setting, size or DEFAULT_SENDERS, duration))
    finally:
        postgres.stop()
    return [merge_rounds(rows) for rows in rounds.values()]


def measure_posts(contender: BundledChat, setting: str, senders: int, seconds: float) -> CommitsRow:
    """Let every member send as fast as its messages are delivered."""
    with ServerProcesses() as servers:
        target = contender.start(servers, senders)
        with Client(target, senders, senders=senders, listeners=LISTENERS) as client:
            connect_members(servers, client, senders)
            window = senders * IN_FLIGHT_PER_SENDER
            client.saturate(seconds=WARM_UP_SECONDS, window=window)
            before = servers.measure()
            talked = client.saturate(seconds=seconds, window=window)
            result = add_costs(talked, before, servers.measure(), senders)
    messages, deliveries = result["messages"], result["deliveries"]
    return CommitsRow(
        group_commit=setting,
        senders=senders,
        posts_per_s=messages / result["seconds"],
        us_per_post={group: us * deliveries / messages for group, us in result["us_per_delivery"].items()},
        lost=result["lost"],
        duplicated=result["duplicated"],
        out_of_order=result["out_of_order"],
        void=result["void"],
    )
