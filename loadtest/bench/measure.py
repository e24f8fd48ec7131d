"""One contender, one room size, once: started, filled, idle, spoken in, stopped."""

from dataclasses import dataclass
from typing import Any

from loadtest.bench.client_process import Client
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.programs import NotStarted, Programs

Result = dict[str, Any]

SETTLE = 1.0  # seconds until memory and late work have come to rest
ENOUGH = 500  # members, from which on one of them can be told from the noise
FIRST = 10  # members who come before anything is counted: the server imports what it needs
AT_ONCE = 64  # members on their way in
TOO_BUSY = 0.85  # share of its core above which the client measures itself


@dataclass(frozen=True)
class Load:
    """What a room of some size is put through.

    The rates are chosen by deliveries, so that rooms can be compared: `calm` is what even the tutorial keeps up with,
    `brisk` what a busy room brings, as long as a room's messages stay between 1 and 100 a second.
    """

    size: int
    calm: float  # messages a second
    brisk: float
    seconds: float

    CALM, BRISK = 2_000, 15_000  # deliveries a second

    @classmethod
    def of(cls, size: int, seconds: float) -> "Load":
        def rate(deliveries: int) -> float:
            return min(100.0, max(1.0, deliveries / size))

        return cls(size, calm=rate(cls.CALM), brisk=rate(cls.BRISK), seconds=seconds)

    @property
    def window(self) -> int:
        """Messages on their way at saturation: two, or in small rooms enough for the next to be always there."""
        return min(32, max(2, 2_000 // self.size))


def measure(contender: Contender, load: Load, phases: tuple[str, ...] = ("calm", "brisk", "saturation")) -> Result:
    """Raises NotStarted, or ClientFailed."""
    with Programs() as programs:
        target = contender.start(programs, load.size)
        with Client(target, load.size) as client:
            result: Result = {"contender": contender.name, "title": contender.title, "size": load.size}
            result |= fill(programs, client, load.size)
            client.ask("saturate", seconds=min(2.0, load.seconds / 2), window=load.window)  # warms up caches and JITs
            commands: dict[str, dict[str, Any]] = {
                "calm": {"do": "fixed", "rate": load.calm, "seconds": load.seconds},
                "saturation": {"do": "saturate", "seconds": load.seconds, "window": load.window},
                "brisk": {"do": "fixed", "rate": load.brisk, "seconds": load.seconds},
            }
            # Brisk comes last: whoever cannot keep up is left with a queue.
            for name, command in commands.items():
                if name in phases:
                    client.ask("idle", seconds=SETTLE)  # what the phase before has set off is not this one's
                    result[name] = phase(programs, client, load.size, command)
            return result


def fill(programs: Programs, client: Client, size: int) -> Result:
    """Bring the members in, and say what each of them costs."""
    few = min(FIRST, size)
    client.ask("enter", members=few, at_once=AT_ONCE, patience=30)
    client.ask("idle", seconds=SETTLE)
    before = programs.usage()
    entered = client.ask("enter", members=size, at_once=AT_ONCE, patience=60 + size / 50)
    at_the_door = programs.usage()
    client.ask("idle", seconds=SETTLE)
    after = programs.usage()
    if entered["ready"] < size:
        why = f"{entered['closed']} {entered['complaints']} {programs.last_words()}"
        raise NotStarted(f"only {entered['ready']} of {size} members came in: {why}")
    if size < ENOUGH:
        return {"accept_ms": {}, "socket_kib": {}, "entered_seconds": entered["seconds"]}
    more = size - few
    return {
        "accept_ms": with_total({name: (at_the_door[name].cpu - before[name].cpu) * 1e3 / more for name in before}),
        "socket_kib": with_total({name: (after[name].rss - before[name].rss) / 1024 / more for name in before}),
        "entered_seconds": entered["seconds"],
    }


def phase(programs: Programs, client: Client, size: int, command: dict[str, Any]) -> Result:
    """Let the room do something, and add what it cost the servers."""
    before = programs.usage()
    result = client.ask(**command)
    after = programs.usage()
    used = {name: after[name].cpu - before[name].cpu for name in before}
    deliveries = result["deliveries"]
    result["per_second"] = deliveries / result["seconds"]
    result["us"] = with_total({name: cpu * 1e6 / deliveries for name, cpu in used.items()}) if deliveries else {}
    result["servers_busy"] = sum(used.values()) / result["seconds"]
    if result["ready"] < size:
        result["complaints"][f"{size - result['ready']} members were sent away"] = 1
    result["void"] = verdict(command["do"], result)
    return result


def verdict(do: str, result: Result) -> str:
    """Why the figures say more about the client than about the server; empty when they do not."""
    busy = f"the client was busy for {result['client_busy']:.0%} of its core"
    if result["deliveries"] == 0:
        return "nothing was delivered"
    if do == "fixed" and result["client_busy"] > TOO_BUSY and not result.get("overloaded"):
        return busy
    # At saturation somebody must be: it is void when that is the client, while the servers wait for it.
    if do == "saturate" and result["client_busy"] > 0.97 and result["servers_busy"] < TOO_BUSY:
        return f"{busy}, the servers for only {result['servers_busy']:.0%} of theirs"
    return ""


def with_total(parts: dict[str, float]) -> dict[str, float]:
    return {**parts, "total": sum(parts.values())}
