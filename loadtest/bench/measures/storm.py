"""Many clients connect at the same moment, as after a restart: how long it takes, and whether all succeed."""

from loadtest.bench.client_process import Client
from loadtest.bench.contenders.channels_tutorial import Tutorial
from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.socket_io import SocketIO
from loadtest.bench.measure import WARM_UP_MEMBERS, WARM_UP_TIMEOUT_SECONDS
from loadtest.bench.nginx_proxy import BehindNginx
from loadtest.bench.result import StormRow, merge_rounds
from loadtest.bench.servers import ServerProcesses

DEFAULT_TIMEOUT_SECONDS = 60  # a browser would have given up
DEFAULT_SIZE = 2_000


def measure_storm(*, quick: bool, size: int | None, seconds: float | None) -> list[StormRow]:
    """Return a row for each contender, direct and behind nginx: medians of the rounds."""
    direct: list[Contender] = [BundledChat(), SocketIO(), Tutorial()]
    behind: list[Contender] = [BehindNginx(one) for one in (BundledChat(unix=True), SocketIO(), Tutorial())]
    rows = []
    for contender in [*direct, *behind]:
        if why := contender.find_obstacle():
            rows.append(StormRow(contender=contender.name, skipped=why))
            continue
        count = 1 if quick else 3
        rounds = [
            measure_one_storm(contender, size or DEFAULT_SIZE, seconds or DEFAULT_TIMEOUT_SECONDS) for _ in range(count)
        ]
        rows.append(merge_rounds(rounds))
    return rows


def measure_one_storm(contender: Contender, size: int, timeout: float) -> StormRow:
    """Connect so many clients at once, after a few that make the server import what it needs."""
    total = size + WARM_UP_MEMBERS
    with ServerProcesses() as servers:
        target = contender.start(servers, total)
        with Client(target, total) as client:
            client.connect(members=WARM_UP_MEMBERS, max_connecting=WARM_UP_MEMBERS, timeout=WARM_UP_TIMEOUT_SECONDS)
            before = servers.measure()
            connected = client.connect(members=total, max_connecting=size, timeout=timeout)
            after = servers.measure()
    return StormRow(
        contender=contender.name,
        clients=size,
        seconds=connected["seconds"],
        ready=connected["ready"] - WARM_UP_MEMBERS,
        cpu_seconds=sum(after[name].cpu - before[name].cpu for name in before),
        closed=connected["closed"],
    )
