"""A server that loses, doubles, swaps or invents one delivery in a thousand is found out, and the count is right."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.loadtest.command import REPO, Done, Running, load
from tests.loadtest.crooked_chat import CrookedChat
from tests.running import free_port

EVERY = 1000
CAUGHT = {"drop": "lost", "repeat": "duplicated", "swap": "out_of_order", "invent": "phantom", "deaf": "unacked"}


async def one(way: str, folder: Path, *slo: str) -> tuple[CrookedChat, Done]:
    every = EVERY if way != "deaf" else 50  # of messages, there
    async with CrookedChat([way], every) as chat:
        flags = shape(chat, folder, rooms=1, members=25, rate=100, seconds=1.5)
        asked = [word for text in slo for word in ("--slo", text)]
        return chat, await load(folder, *flags, "--most-lag-ms", "10000", *asked)


async def test_one_delivery_in_a_thousand_that_goes_wrong_fails_the_run(tmp_path: Path) -> None:
    *runs, (_, straight) = await asyncio.gather(  # mostly they wait
        *(one(way, tmp_path / way) for way in CAUGHT), one("straight", tmp_path / "straight", "p99_delivery_ms=0.001")
    )
    assert faults(straight) == dict.fromkeys(CAUGHT.values(), 0)
    assert straight.code == 1, "a threshold that does not hold"
    assert len(straight.result["failed"]) == 1
    for way, (chat, done) in zip(CAUGHT, runs, strict=True):
        assert chat.done[way] >= 2, f"{way}: too small to see anything. {done.printed}{done.progress}"
        assert faults(done) == {name: chat.done[way] if name == CAUGHT[way] else 0 for name in CAUGHT.values()}
        assert done.code == 1
        assert "FAIL" in done.last_line


async def test_a_straight_server_passes_and_every_delivery_is_counted(tmp_path: Path) -> None:
    """By one worker of its own and one that came from elsewhere."""
    listen = f"127.0.0.1:{free_port()}"
    async with CrookedChat(["straight"], EVERY) as chat:
        flags = shape(chat, tmp_path, rooms=2, members=20, rate=40, seconds=1)
        more = ("--expect-workers", "1", "--listen", listen, "--most-lag-ms", "10000")
        running = await Running.start(tmp_path, *flags, *more)
        other = await Running.start(tmp_path, "--join", listen)
        done = await running.end()
        assert (await other.end()).code == 0
    assert done.code == 0, done.printed + done.progress
    told = done.result["oracle"]
    assert told["deliveries"] == told["expected"] == told["sent"] * 20
    assert told["sent"] == 80 + 10, "a second at the rate, and a quarter at half of it to warm up"
    clocks = done.result["generator"]["clocks"]
    assert [clock["offset_ms"] for clock in clocks] == [0, 0], "one machine has one clock"
    assert all(0 < clock["uncertain_ms"] < 1000 for clock in clocks)


async def test_a_worker_that_dies_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    async with CrookedChat(["straight"], EVERY) as chat:
        running = await Running.start(tmp_path, *shape(chat, tmp_path, rooms=1, members=5, rate=5, seconds=60))
        await running.until("talk,")
        os.kill(running.worker(), signal.SIGKILL)
        done = await running.end()
    assert done.code == 1
    assert "load: A worker process ended with exit code -9" in done.progress


LOCUSTFILE = """
from locust import constant, task
from loadtest.websocket_user import WebSocketUser

class Visitor(WebSocketUser):
    wait_time = constant(1)
    said = 0

    @task
    def come_in(self):
        self.connect(self.host + "/ws/", subprotocols=["parley.v1"], name="socket")
        with self.timed("hello", "hello"):
            self.send(b'{"type":"hello","id":1}')

    def on_message(self, payload):
        assert payload.startswith(b'{"type":"welcome"')
        self.environment.events.request.fire(
            request_type="heard", name="welcome", response_time=1, response_length=9, exception=None, context={}
        )
"""


async def test_the_socket_user_works_in_any_locustfile(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    async with CrookedChat(["straight"], EVERY) as chat:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "locust", "-f", str(tmp_path / "locustfile.py"), "--headless", "--json"),
            *("-u", "3", "-r", "3", "-t", "2", "--host", chat.url.replace("http", "ws")),
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    stats = {(row["method"], row["name"]): row for row in json.loads(printed)}
    assert {row["num_failures"] for row in stats.values()} == {0}
    assert stats["connect", "socket"]["num_requests"] >= 3
    assert stats["heard", "welcome"]["num_requests"] == stats["hello", "hello"]["num_requests"]


async def test_a_generator_that_gets_no_cpu_voids_its_run(tmp_path: Path) -> None:
    async with CrookedChat(["straight"], EVERY) as chat:
        running = await Running.start(tmp_path, *shape(chat, tmp_path, rooms=1, members=10, rate=20, seconds=3))
        await running.until("talk,")
        worker = running.worker()
        for _ in range(3):
            os.kill(worker, signal.SIGSTOP)
            await asyncio.sleep(0.25)  # this is how long it gets none
            os.kill(worker, signal.SIGCONT)
            await asyncio.sleep(0.1)
        done = await running.end()
    assert done.code == 3, done.printed
    assert done.result["verdict"] == "void"
    assert any("late" in reason for reason in done.result["void"])
    assert "Do not use them" in done.printed
    assert faults(done) == dict.fromkeys(CAUGHT.values(), 0)


async def test_what_was_asked_wrongly_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = await load(
        tmp_path, "fanout", "--url", "http://127.0.0.1:9", "--rooms", "1", "--members", "2", "--rate", "50"
    )
    assert done.code == 2
    assert done.progress == (
        "load: 50 messages a second from 2 sockets are 25.0 for each, and a socket may send 8 (--limit): "
        "take a lower --rate or more --members.\n"
    )


def shape(chat: CrookedChat, folder: Path, *, rooms: int, members: int, rate: float, seconds: float) -> list[str]:
    named = {"rooms": rooms, "members": members, "rate": rate, "seconds": seconds, "connect-rate": 200}
    folder.mkdir(exist_ok=True)
    people = folder / "people"  # this server does not ask who comes
    people.write_text(json.dumps({"rooms": [], "cookies": ["anybody"] * rooms * members}))
    flags = [word for name, value in named.items() for word in (f"--{name}", str(value))]
    return ["fanout", "--url", chat.url, "--people", str(people), *flags]


def faults(done: Done) -> dict[str, int]:
    return {name: done.result["oracle"][name] for name in CAUGHT.values()}
