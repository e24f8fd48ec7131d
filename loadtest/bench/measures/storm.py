"""Everybody comes at once, as after a restart: how long until all are in, and whether all get in."""

from typing import Any

from loadtest.bench.client_process import Client
from loadtest.bench.contenders.channels_tutorial import Tutorial
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.parley import Parley
from loadtest.bench.contenders.socket_io import SocketIO
from loadtest.bench.front import BehindNginx
from loadtest.bench.measure import FIRST
from loadtest.bench.programs import Programs
from loadtest.bench.results import merged

PATIENCE = 60  # seconds; a browser would have given up


def storm(*, quick: bool, size: int | None, seconds: float | None) -> list[dict[str, Any]]:
    """A row for each contender, direct and behind nginx; each comes once in every round."""
    direct: list[Contender] = [Parley(), SocketIO(), Tutorial()]
    behind: list[Contender] = [BehindNginx(one) for one in (Parley(unix=True), SocketIO(), Tutorial())]
    rows = []
    for contender in [*direct, *behind]:
        if why := contender.missing():
            rows.append({"contender": contender.name, "skipped": why})
            continue
        rounds = [one_storm(contender, size or 2_000, seconds or PATIENCE) for _ in range(1 if quick else 3)]
        rows.append({"contender": contender.name, **merged(rounds)})
    return rows


def one_storm(contender: Contender, size: int, patience: float) -> dict[str, Any]:
    with Programs() as programs:
        target = contender.start(programs, size + FIRST)
        with Client(target, size + FIRST) as client:
            client.ask("enter", members=FIRST, at_once=FIRST, patience=30)
            before = programs.usage()
            entered = client.ask("enter", members=size + FIRST, at_once=size, patience=patience)
            after = programs.usage()
    used = sum(after[name].cpu - before[name].cpu for name in before)
    return {
        "clients": size,
        "seconds": entered["seconds"],
        "ready": entered["ready"] - FIRST,
        "cpu_seconds": used,
        "lost_how": entered["closed"],
    }
