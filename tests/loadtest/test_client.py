"""The client program, whole, against a server that tells the truth, and against some that do not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.client_process import Client
from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.front import certificate_in
from loadtest.bench.measure import Load, measure
from tests.loadtest.crooked import Crooked

MEMBERS = 4
Talk = Callable[[Client], dict[str, Any]]


@asynccontextmanager
async def room(way: str, folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """Four members of a crooked server, one of whom speaks."""
    server = Crooked(way)
    target = await server.start(folder, tls)
    with Client(target, MEMBERS, senders=1) as client:
        # One after the other: the first member is the one that the server treats badly.
        entered = await asyncio.to_thread(client.ask, "enter", members=MEMBERS, at_once=1, patience=20)
        assert entered["ready"] + sum(entered["closed"].values()) == MEMBERS
        yield client
    await server.stop()


async def hundred_messages(client: Client) -> dict[str, Any]:
    return await asyncio.to_thread(client.ask, "fixed", rate=200, seconds=0.5)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_in(tmp_path_factory.mktemp("tls")))
    return context


@pytest.mark.parametrize("way", ["straight", "dribble", "lump"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
async def test_however_the_bytes_come_every_delivery_is_counted_once(
    way: str, encrypted: bool, tmp_path: Path, tls: ssl.SSLContext
) -> None:
    async with room(way, tmp_path, tls if encrypted else None) as client:
        told = await hundred_messages(client)
    assert (told["messages"], told["deliveries"]) == (100, 400)
    assert (told["lost"], told["duplicate"], told["reordered"]) == (0, 0, 0)
    assert told["frames"] == (400 if way != "lump" else 410)
    assert told["ready"] == MEMBERS
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"] <= told["latency_ms"]["max"]
    assert not told["overloaded"]


@pytest.mark.parametrize(
    ("way", "fault", "times", "deliveries"),
    [("drop", "lost", 10, 390), ("double", "duplicate", 10, 410), ("swap", "reordered", 50, 400)],
)
async def test_the_faults_of_a_server_are_found(
    way: str, fault: str, times: int, deliveries: int, tmp_path: Path
) -> None:
    async with room(way, tmp_path) as client:
        told = await hundred_messages(client)
    assert {name: told[name] for name in ("lost", "duplicate", "reordered") if told[name]} == {fault: times}
    assert told["deliveries"] == deliveries


async def test_a_member_who_is_sent_away_is_missed(tmp_path: Path) -> None:
    async with room("close", tmp_path) as client:
        told = await hundred_messages(client)
        rest = await asyncio.to_thread(client.ask, "farewell", seconds=0)
    assert told["ready"] == MEMBERS - 1
    assert rest["closed"] == {"1012": 1}


async def test_who_is_refused_is_counted_by_how(tmp_path: Path) -> None:
    server = Crooked("refuse")
    target = await server.start(tmp_path)
    with Client(target, MEMBERS) as client:
        entered = await asyncio.to_thread(client.ask, "enter", members=MEMBERS, at_once=1, patience=20)
    await server.stop()
    assert entered["ready"] == 1
    assert entered["closed"] == {"Refused": 3}


async def test_at_saturation_one_message_follows_the_other(tmp_path: Path) -> None:
    async with room("straight", tmp_path) as client:
        told = await asyncio.to_thread(client.ask, "saturate", seconds=0.5, window=3)
    assert told["messages"] > 20
    assert told["deliveries"] == told["messages"] * MEMBERS
    assert told["lost"] == 0


async def test_no_more_messages_are_on_their_way_than_the_window_allows(tmp_path: Path) -> None:
    async with room("swallow", tmp_path) as client:
        told = await asyncio.to_thread(client.ask, "saturate", seconds=0.2, window=3)
    assert (told["messages"], told["deliveries"], told["lost"]) == (3, 0, 12)


def test_a_real_contender_is_measured_from_start_to_end() -> None:
    result = measure(Broadcast(), Load(20, calm=20, brisk=100, seconds=0.5))
    assert result["brisk"]["deliveries"] == 50 * 20
    assert result["saturation"]["per_second"] > 100
    for phase in (result[name] for name in ("calm", "brisk", "saturation")):
        assert (phase["lost"], phase["duplicate"], phase["reordered"], phase["void"]) == (0, 0, 0, "")
        assert phase["us"]["total"] == phase["us"]["server"]
    assert result["saturation"]["us"]["total"] > 0
