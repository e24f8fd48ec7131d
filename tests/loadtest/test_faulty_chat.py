"""The load test finds a server that loses, repeats, swaps or invents one delivery in a thousand, and counts right."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.loadtest.command import REPO, Done, Running, load
from tests.loadtest.faulty_chat import FaultyChat
from tests.running import free_port

EVERY = 1000
COUNTED_AS = {"drop": "lost", "repeat": "duplicated", "swap": "out_of_order", "invent": "phantom", "ignore": "unacked"}


async def run_with_fault(fault: str, folder: Path, *slo: str) -> tuple[FaultyChat, Done]:
    every = EVERY if fault != "ignore" else 50  # of messages, there
    async with FaultyChat([fault], every) as chat:
        flags = shape(chat, folder, rooms=1, members=25, rate=100, seconds=1.5)
        thresholds = [word for text in slo for word in ("--slo", text)]
        return chat, await load(folder, *flags, "--max-lag-ms", "10000", *thresholds)


async def test_one_wrong_delivery_in_a_thousand_fails_the_run(tmp_path: Path) -> None:
    *runs, (_, faultless) = await asyncio.gather(  # mostly they wait
        *(run_with_fault(fault, tmp_path / fault) for fault in COUNTED_AS),
        run_with_fault("none", tmp_path / "none", "p99_delivery_ms=0.001"),
    )
    assert faults(faultless) == dict.fromkeys(COUNTED_AS.values(), 0)
    assert faultless.code == 1, "a threshold that does not hold"
    assert len(faultless.result["failed"]) == 1
    for fault, (chat, done) in zip(COUNTED_AS, runs, strict=True):
        assert chat.made[fault] >= 2, f"{fault}: too small to see anything. {done.printed}{done.progress}"
        assert faults(done) == {
            name: chat.made[fault] if name == COUNTED_AS[fault] else 0 for name in COUNTED_AS.values()
        }
        assert done.code == 1
        assert "FAIL" in done.last_line


async def test_a_server_without_faults_passes_and_every_delivery_is_counted(tmp_path: Path) -> None:
    """With one worker of its own, and one that was started separately."""
    listen = f"127.0.0.1:{free_port()}"
    async with FaultyChat(["none"], EVERY) as chat:
        flags = shape(chat, tmp_path, rooms=2, members=20, rate=40, seconds=1)
        more = ("--expect-workers", "1", "--listen", listen, "--max-lag-ms", "10000")
        running = await Running.start(tmp_path, *flags, *more)
        other = await Running.start(tmp_path, "--join", listen)
        done = await running.end()
        assert (await other.end()).code == 0
    assert done.code == 0, done.printed + done.progress
    oracle = done.result["oracle"]
    assert oracle["deliveries"] == oracle["expected"] == oracle["sent"] * 20
    assert oracle["sent"] == 80 + 10, "a second at the rate, and a quarter at half of it to warm up"
    clocks = done.result["generator"]["clocks"]
    assert [clock["offset_ms"] for clock in clocks] == [0, 0], "one machine has one clock"
    assert all(0 < clock["uncertain_ms"] < 1000 for clock in clocks)


async def test_a_worker_that_dies_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    async with FaultyChat(["none"], EVERY) as chat:
        running = await Running.start(tmp_path, *shape(chat, tmp_path, rooms=1, members=5, rate=5, seconds=60))
        await running.until("talk,")
        os.kill(running.worker(), signal.SIGKILL)
        done = await running.end()
    assert done.code == 1
    assert "load: A worker process ended with exit code -9" in done.progress


LOCUSTFILE = """
from locust import constant, task
from loadtest.load.users.websocket_user import WebSocketUser

class Visitor(WebSocketUser):
    wait_time = constant(1)

    @task
    def say_hello(self):
        self.connect(self.host + "/ws/", subprotocols=["parley.v1"], name="socket")
        with self.timed("hello", "hello"):
            self.send(b'{"type":"hello","id":1}')

    def on_message(self, payload):
        assert payload.startswith(b'{"type":"welcome"')
        self.environment.events.request.fire(
            request_type="received", name="welcome", response_time=1, response_length=9, exception=None, context={}
        )
"""


async def test_the_websocket_user_works_in_any_locustfile(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    async with FaultyChat(["none"], EVERY) as chat:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "locust", "-f", str(tmp_path / "locustfile.py"), "--headless", "--json"),
            *("-u", "3", "-r", "3", "-t", "2", "--host", chat.url.replace("http", "ws")),
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    stats = {(row["method"], row["name"]): row for row in json.loads(printed)}
    assert {row["num_failures"] for row in stats.values()} == {0}
    assert stats["connect", "socket"]["num_requests"] >= 3
    assert stats["received", "welcome"]["num_requests"] == stats["hello", "hello"]["num_requests"]


async def test_a_generator_without_cpu_voids_its_run(tmp_path: Path) -> None:
    async with FaultyChat(["none"], EVERY) as chat:
        running = await Running.start(tmp_path, *shape(chat, tmp_path, rooms=1, members=10, rate=20, seconds=3))
        await running.until("talk,")
        worker = running.worker()
        for _ in range(3):
            os.kill(worker, signal.SIGSTOP)
            await asyncio.sleep(0.25)  # for so long it gets no CPU
            os.kill(worker, signal.SIGCONT)
            await asyncio.sleep(0.1)
        done = await running.end()
    assert done.code == 3, done.printed
    assert done.result["verdict"] == "void"
    assert any("late" in reason for reason in done.result["void"])
    assert "Do not use them" in done.printed
    assert faults(done) == dict.fromkeys(COUNTED_AS.values(), 0)


async def test_wrong_arguments_are_explained_in_a_sentence(tmp_path: Path) -> None:
    done = await load(
        tmp_path, "fanout", "--url", "http://127.0.0.1:9", "--rooms", "1", "--members", "2", "--rate", "50"
    )
    assert done.code == 2
    assert done.progress == (
        "load: 50 messages a second from 2 sockets are 25.0 for each, and a socket may send 8 (--limit): "
        "take a lower --rate or more --members.\n"
    )


def shape(chat: FaultyChat, folder: Path, *, rooms: int, members: int, rate: float, seconds: float) -> list[str]:
    named = {"rooms": rooms, "members": members, "rate": rate, "seconds": seconds, "connect-rate": 200}
    folder.mkdir(exist_ok=True)
    sessions = folder / "sessions"  # this server does not check them
    sessions.write_text(json.dumps({"rooms": [], "cookies": ["any"] * rooms * members}))
    flags = [word for name, value in named.items() for word in (f"--{name}", str(value))]
    return ["fanout", "--url", chat.url, "--sessions", str(sessions), *flags]


def faults(done: Done) -> dict[str, int]:
    return {name: done.result["oracle"][name] for name in COUNTED_AS.values()}
