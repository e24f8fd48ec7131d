"""The load test of any project finds what its sockets lose, repeat, refuse or close, and knows only its manifest."""

import asyncio
import json
from pathlib import Path

import pytest

from loadtest.load.project_socket import ProjectSocket
from tests.loadtest.command import Done, load
from tests.loadtest.faulty_project import COOKIE, ORIGIN, PATH, SUBPROTOCOL, FaultyProject

CONNECTIONS, SENDERS = 20, 4
MESSAGE = '{"say": "{text}"}'
FAULTS = {"drop": "lost", "change": "lost", "repeat": "duplicated"}


def describe_socket(folder: Path, message: str, cookie: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "socket"  # not *.json: the result is the only such file
    fields = {"path": PATH, "message": message, "subprotocol": SUBPROTOCOL, "origin": ORIGIN, "cookie": cookie}
    file.write_text(json.dumps(fields))
    return file


async def run(project: FaultyProject, folder: Path, *more: str, message: str = MESSAGE, cookie: str = COOKIE) -> Done:
    file = describe_socket(folder, message, cookie)
    flags = ["--project", str(file), "--url", project.url, "--members", str(CONNECTIONS), "--senders", str(SENDERS)]
    flags += ["--rate", "10", "--seconds", "2", "--characters", "60", "--max-lag-ms", "10000", "--slo", "closed=0"]
    return await load(folder, "fanout" if message else "idle", *flags, *more)


async def test_every_message_reaches_every_connection_once(tmp_path: Path) -> None:
    async with FaultyProject("none") as project:
        done = await run(project, tmp_path)
    assert done.code == 0, done.printed + done.progress
    oracle = done.result["oracle"]
    assert oracle["sent"] == 22, "two seconds at the rate, and half a second at half of it to warm up"
    assert oracle["deliveries"] == oracle["expected"] == oracle["sent"] * CONNECTIONS
    assert oracle["phantom"] == 0, "yesterday's message in the greeting is nobody's fault"
    assert done.result["latency_ms"]["delivery"]["p95"] > 0
    assert COOKIE not in json.dumps(done.result)
    assert COOKIE not in done.report.read_text()


async def run_with_fault(fault: str, folder: Path) -> tuple[FaultyProject, Done]:
    async with FaultyProject(fault) as project:
        return project, await run(project, folder)


async def test_what_is_lost_or_repeated_is_counted_and_fails_the_run(tmp_path: Path) -> None:
    runs = await asyncio.gather(*(run_with_fault(fault, tmp_path / fault) for fault in FAULTS))  # mostly they wait
    for fault, (project, done) in zip(FAULTS, runs, strict=True):
        assert project.made >= 4
        found = {name: done.result["oracle"][name] for name in ("lost", "duplicated", "out_of_order", "phantom")}
        assert found == dict.fromkeys(found, 0) | {FAULTS[fault]: project.made}, fault
        assert done.code == 1


async def test_a_connection_that_the_server_breaks_fails_the_run(tmp_path: Path) -> None:
    async with FaultyProject("close", every=10) as project:
        done = await run(project, tmp_path)
    assert done.result["counters"]["closed"] == {"1011": project.made}
    assert done.result["oracle"]["lost"] > 0, "the message that was answered by the close"
    assert done.code == 1
    assert "closed <= 0 does not hold" in done.printed


async def test_a_connection_that_the_application_closes_counts_as_refused(tmp_path: Path) -> None:
    async with FaultyProject("expel", every=10) as project:
        done = await run(project, tmp_path)
    assert done.result["counters"]["refused"]["closed with 4403 enough"] == project.made
    assert done.code == 1


async def test_connections_alone_stay_open_and_send_nothing(tmp_path: Path) -> None:
    async with FaultyProject("none") as project:
        done = await run(project, tmp_path, message="")
    assert done.code == 0, done.printed + done.progress
    assert done.result["scenario"] == "idle"
    assert done.result["oracle"]["sent"] == 0
    assert done.result["latency_ms"]["handshake"]["count"] == CONNECTIONS


async def test_a_refused_handshake_ends_the_run_at_once_with_its_answer(tmp_path: Path) -> None:
    async with FaultyProject("none") as project, asyncio.timeout(45):
        url = project.url
        done = await run(project, tmp_path, cookie="sessionid=expired")
    assert done.code == 1
    assert f"load: The site refuses {url}{PATH}: " in done.progress
    assert "403: HTTP/1.1 403 Forbidden not for you" in done.progress


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "has no JSON object with the fields path, message, subprotocol, origin, cookie"),
        ('{"room": "x"}', "has no JSON object with the fields path, message, subprotocol, origin, cookie"),
        ('{"path": "ws/"}', "the path 'ws/' does not begin with a slash"),
    ],
)
def test_a_file_that_describes_no_socket_is_refused_with_its_name(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "socket.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=reason) as refused:
        ProjectSocket.from_file(file)
    assert str(file) in str(refused.value)
