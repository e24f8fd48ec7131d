"""Every scenario, small, against a whole site: nginx, TLS, gunicorn, two daphnes, Redis."""

import asyncio
import json
from pathlib import Path

from loadtest.load.scenarios import SCENARIOS
from tests.loadtest.command import Done, load
from tests.loadtest.schemas import strict_schema
from tests.running import Stack

# Each in a size that shows something within seconds. A room has at most 30 members, so all have joined soon.
SMALL = {
    "fanout": "--rooms 2 --members 10 --rate 5 --seconds 2",
    "hot-room": "--members 30 --rate 10 --seconds 2",
    "many-rooms": "--rooms 12 --members 3 --rooms-each 3 --rate 1 --seconds 2",
    "storm": "--rooms 2 --members 10 --rate 2 --seconds 3",
    "idle": "--rooms 2 --members 10 --seconds 1",
    "ramp": "--rooms 2 --members 8 --rate 20 --seconds 1 --budget-ms 60000",
    "soak": "--rooms 2 --members 5 --rate 4 --seconds 2",
    "user-journey": "--rooms 3 --members 10 --rate 2 --seconds 4",  # so many that some of them change rooms
}


async def test_every_scenario_passes(stack: Stack, tmp_path: Path) -> None:
    assert set(SMALL) == set(SCENARIOS)
    done = await all_of(stack, tmp_path)
    for name, one in done.items():
        assert one.code == 0, f"{name}: {one.printed}{one.progress}"
        strict_schema("load").validate(one.result)
        oracle = one.result["oracle"]
        assert oracle["deliveries"] == oracle["expected"], name
        assert oracle["deliveries"] > 0 or name == "idle"
        assert set(one.result["server"]["cpu"]) == {"redis", "web", "ws1", "ws2", "nginx"}
    figures = {name: one.result for name, one in done.items()}
    assert figures["fanout"]["oracle"]["deliveries"] == figures["fanout"]["oracle"]["sent"] * 10
    assert figures["hot-room"]["oracle"]["deliveries"] == figures["hot-room"]["oracle"]["sent"] * 30
    assert figures["many-rooms"]["plan"]["sockets"] == 12
    assert figures["storm"]["latency_ms"]["caught_up"]["count"] == 20
    assert figures["storm"]["latency_ms"]["connect"]["count"] == 40
    # 16 sockets may send 8 messages a second each, and nothing breaks before that.
    assert figures["ramp"]["knee"]["messages_per_s"] == 128
    assert figures["user-journey"]["latency_ms"]["page"]["count"] > 0
    assert figures["user-journey"]["latency_ms"]["handshake"]["count"] > 30


async def test_a_user_without_a_session_signs_in_as_a_guest(stack: Stack, tmp_path: Path) -> None:
    done = await load(tmp_path, "fanout", *flags(stack, "--rooms 1 --members 3 --rate 5 --seconds 1"))
    assert done.code == 0, done.printed + done.progress
    assert done.result["latency_ms"]["page"]["count"] == 6, "a front page and a form each"
    assert done.last_line.startswith("fanout PASS: ")


async def all_of(stack: Stack, folder: Path) -> dict[str, Done]:
    """Run each in rooms of its own, four at a time."""
    turns = asyncio.Semaphore(4)
    made = json.loads(stack.run_python(MAKE_USERS, "60"))

    async def one(name: str, shape: str) -> Done:
        async with turns:
            sessions = folder / f"{name}.sessions"
            rooms = [f"{name}-{number}" for number in range(20)]
            sessions.write_text(json.dumps({"cookies": made["cookies"], "rooms": rooms}))
            return await load(folder / name, name, "--sessions", str(sessions), *flags(stack, shape))

    done = await asyncio.gather(*(one(name, shape) for name, shape in SMALL.items()))
    return dict(zip(SMALL, done, strict=True))


MAKE_USERS = """
import sys
from django.core.management import call_command
call_command("load_people", int(sys.argv[1]), rooms=1)
"""


def flags(stack: Stack, shape: str) -> list[str]:
    # The tests share two cores: whether the generator is late here says nothing.
    more = ["--insecure", "--max-lag-ms", "60000", "--connect-rate", "200", "--server-pids", str(stack.ready)]
    return ["--url", stack.url, *shape.split(), *more]
