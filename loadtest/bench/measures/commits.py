"""How many posts a second one room takes on PostgreSQL, with GROUP_COMMIT off and on."""

import os
from pathlib import Path
from typing import Any

from loadtest.bench import cores, install
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.parley import Parley
from loadtest.bench.measure import fill, phase
from loadtest.bench.programs import NotStarted, Programs
from loadtest.bench.results import merged
from tests.postgres import Postgres

LISTENERS = 2  # enough to see that posts arrive; what delivering costs is another question
IN_FLIGHT_EACH = 4  # commands of one sender under way


def commits(*, quick: bool, size: int | None, seconds: float | None) -> list[dict[str, Any]]:
    """One row for off, one for on: medians, the two taking turns on the same server. Raises NotStarted."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and (why := install.debian("postgresql")):
        raise NotStarted(why)
    postgres = Postgres()
    try:
        pid = int((postgres.folder / "data/postmaster.pid").read_text().split()[0])
        os.sched_setaffinity(pid, set(map(int, cores.SERVERS.split(","))))  # for every connection made from now on
        rounds: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
        for number in range(1 if quick else 3):
            for word, results in rounds.items():
                url = postgres.url(f"{word}{number}")
                contender = Parley(unix=True, database=url, database_pid=pid, env={"GROUP_COMMIT": word})
                results.append(posts(contender, size or 64, seconds or (4 if quick else 10)))
    finally:
        postgres.stop()
    return [{"group_commit": word, **merged(results)} for word, results in rounds.items()]


def posts(contender: Parley, senders: int, seconds: float) -> dict[str, Any]:
    """Every member speaks, as fast as it is heard."""
    with Programs() as programs:
        target = contender.start(programs, senders)
        with Client(target, senders, senders=senders, listeners=LISTENERS) as client:
            fill(programs, client, senders)
            command: dict[str, Any] = {"do": "saturate", "seconds": seconds, "window": senders * IN_FLIGHT_EACH}
            client.ask(**{**command, "seconds": 1})
            result = phase(programs, client, senders, command)
    messages = result["messages"]
    return {
        "senders": senders,
        "posts_a_second": messages / result["seconds"],
        **{f"{group}_us_a_post": us * result["deliveries"] / messages for group, us in result["us"].items()},
        **{name: result[name] for name in ("lost", "duplicate", "reordered", "void")},
    }
