"""One contender in one room, once: start, connect the members, idle, talk, stop."""

from dataclasses import dataclass
from typing import cast

from loadtest.bench.client.room import TalkResult
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.result import PhaseResult, RoomCosts, RoomResult, add_total
from loadtest.bench.servers import NotStarted, ServerProcesses
from loadtest.core.processes import Usage

PHASES = ("low_rate", "high_rate", "saturation")
SETTLE_SECONDS = 1.0  # until late work is done and memory is steady
MIN_MEMBERS_FOR_COSTS = 500  # in smaller rooms the noise is larger than the cost of one member
WARM_UP_MEMBERS = 10  # connect before anything is measured: the server imports what it needs
WARM_UP_TIMEOUT_SECONDS = 30
MAX_CONNECTING = 64  # members that connect at the same time
MAX_CLIENT_BUSY = 0.85  # share of its core above which the client measures itself at a fixed rate
FULL_CLIENT_BUSY = 0.97  # the same at saturation, where either side must be full


@dataclass(frozen=True)
class RoomLoad:
    """The load on a room of some size.

    The rates are chosen by deliveries, so that rooms can be compared. The low rate is one that even the tutorial
    delivers, the high rate is that of a busy room; in both a room has at least 1 and at most 100 messages a second.
    """

    size: int
    low_rate: float  # messages a second
    high_rate: float
    seconds: float  # of a phase

    LOW_DELIVERIES_PER_SECOND, HIGH_DELIVERIES_PER_SECOND = 2_000, 15_000

    @classmethod
    def of_size(cls, size: int, seconds: float) -> "RoomLoad":
        """Return the load on a room of this size."""

        def rate(deliveries: int) -> float:
            return min(100.0, max(1.0, deliveries / size))

        low, high = rate(cls.LOW_DELIVERIES_PER_SECOND), rate(cls.HIGH_DELIVERIES_PER_SECOND)
        return cls(size, low_rate=low, high_rate=high, seconds=seconds)

    @property
    def window(self) -> int:
        """Messages on their way at saturation: two, or in small rooms so many that the next one is always there."""
        return min(32, max(2, 2_000 // self.size))


def measure_room(contender: Contender, load: RoomLoad, phases: tuple[str, ...] = PHASES) -> RoomResult:
    """Measure one contender in one room.

    Raises:
        NotStarted: the contender does not run, or not all members could connect.
        ClientFailed: the client program broke.
    """
    with ServerProcesses() as servers:
        target = contender.start(servers, load.size)
        with Client(target, load.size) as client:
            costs = connect_members(servers, client, load.size)
            client.saturate(seconds=min(2.0, load.seconds / 2), window=load.window)  # warms up caches and JITs
            measured: dict[str, PhaseResult] = {}
            # The high rate comes last: it leaves a server that cannot keep up with a queue.
            for phase in ("low_rate", "saturation", "high_rate"):
                if phase in phases:
                    client.idle(seconds=SETTLE_SECONDS)  # late work of the phase before is not this one's
                    measured[phase] = measure_phase(servers, client, load, phase)
            found = {"contender": contender.name, "title": contender.title, "size": load.size, **costs, **measured}
            return cast("RoomResult", found)


def connect_members(servers: ServerProcesses, client: Client, size: int) -> RoomCosts:
    """Connect all members, and return what each of them costs.

    Raises:
        NotStarted: not all members could connect.
    """
    first = min(WARM_UP_MEMBERS, size)
    client.connect(members=first, max_connecting=MAX_CONNECTING, timeout=WARM_UP_TIMEOUT_SECONDS)
    client.idle(seconds=SETTLE_SECONDS)
    before = servers.measure()
    connected = client.connect(members=size, max_connecting=MAX_CONNECTING, timeout=60 + size / 50)
    after_connecting = servers.measure()
    client.idle(seconds=SETTLE_SECONDS)
    after = servers.measure()
    if connected["ready"] < size:
        why = f"{connected['closed']} {connected['problems']} {servers.read_log_end()}"
        raise NotStarted(f"only {connected['ready']} of {size} members could connect: {why}")
    if size < MIN_MEMBERS_FOR_COSTS:
        return RoomCosts(accept_ms={}, kib_per_socket={}, connect_seconds=connected["seconds"])
    more = size - first
    return RoomCosts(
        accept_ms=add_total({name: (after_connecting[name].cpu - before[name].cpu) * 1e3 / more for name in before}),
        kib_per_socket=add_total({name: (after[name].rss - before[name].rss) / 1024 / more for name in before}),
        connect_seconds=connected["seconds"],
    )


def measure_phase(servers: ServerProcesses, client: Client, load: RoomLoad, phase: str) -> PhaseResult:
    """Let the room talk, and return what that cost the servers. `phase` is one of PHASES."""
    before = servers.measure()
    if phase == "saturation":
        talked = client.saturate(seconds=load.seconds, window=load.window)
    else:
        rate = load.low_rate if phase == "low_rate" else load.high_rate
        talked = client.fixed_rate(rate=rate, seconds=load.seconds)
    return add_costs(talked, before, servers.measure(), load.size)


def add_costs(talked: TalkResult, before: dict[str, Usage], after: dict[str, Usage], size: int) -> PhaseResult:
    """Add to what the client measured what the servers used meanwhile. `size`: of the room, in members."""
    used = {name: after[name].cpu - before[name].cpu for name in before}
    deliveries = talked["deliveries"]
    problems = dict(talked["problems"])
    if talked["ready"] < size:
        problems[f"{size - talked['ready']} members were disconnected"] = 1
    result = PhaseResult(
        **{**talked, "problems": problems},  # type: ignore[typeddict-item]
        deliveries_per_s=deliveries / talked["seconds"],
        us_per_delivery=add_total({name: cpu * 1e6 / deliveries for name, cpu in used.items()}) if deliveries else {},
        servers_busy=sum(used.values()) / talked["seconds"],
        void="",
    )
    result["void"] = find_void_reason(result)
    return result


def find_void_reason(result: PhaseResult) -> str:
    """Return why the figures say more about the client than about the server; empty if they do not."""
    client, servers = result["client_busy"], result["servers_busy"]
    busy = f"the client was busy for {client:.0%} of its core"
    if result["deliveries"] == 0:
        return "nothing was delivered"
    is_saturation = "window" in result
    if not is_saturation and client > MAX_CLIENT_BUSY and not result.get("overloaded"):
        return busy
    # At saturation either side is full: it is void when that is the client, while the servers wait for it.
    if is_saturation and client > FULL_CLIENT_BUSY and servers < MAX_CLIENT_BUSY:
        return f"{busy}, the servers for only {servers:.0%} of theirs"
    return ""
