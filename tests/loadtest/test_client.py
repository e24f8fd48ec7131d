"""The whole client program, against a server without a fault, and against servers with one."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loadtest.bench.client.room import TalkResult
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.measure import RoomLoad, measure_room
from loadtest.bench.nginx_proxy import make_certificate
from tests.loadtest.faulty_server import FaultyServer

MEMBERS = 4
FAULTS = ("lost", "duplicated", "out_of_order", "phantom")


@asynccontextmanager
async def room(fault: str, folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    """Four members of a faulty server, one of which sends."""
    server = FaultyServer(fault)
    target = await server.start(folder, tls)
    with Client(target, MEMBERS, senders=1) as client:
        # One after the other: the first member is the one that the server treats badly.
        connected = await asyncio.to_thread(client.connect, members=MEMBERS, max_connecting=1, timeout=20)
        assert connected["ready"] + sum(connected["closed"].values()) == MEMBERS
        yield client
    await server.stop()


async def send_hundred_messages(client: Client) -> TalkResult:
    return await asyncio.to_thread(client.fixed_rate, rate=200, seconds=0.5)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path_factory.mktemp("tls")))
    return context


@pytest.mark.parametrize("fault", ["none", "dribble", "lump"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
async def test_however_bytes_arrive_every_delivery_is_counted_once(
    fault: str, encrypted: bool, tmp_path: Path, tls: ssl.SSLContext
) -> None:
    async with room(fault, tmp_path, tls if encrypted else None) as client:
        talked = await send_hundred_messages(client)
    assert (talked["messages"], talked["deliveries"]) == (100, 400)
    assert (talked["lost"], talked["duplicated"], talked["out_of_order"], talked["phantom"]) == (0, 0, 0, 0)
    assert talked["frames"] == (400 if fault != "lump" else 410)
    assert talked["ready"] == MEMBERS
    latency = talked["latency_ms"]
    assert latency
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]
    assert not talked["overloaded"]


@pytest.mark.parametrize(
    ("fault", "counted_as", "times", "deliveries"),
    [("drop", "lost", 10, 390), ("double", "duplicated", 10, 410), ("swap", "out_of_order", 50, 400)],
)
async def test_the_faults_of_a_server_are_found(
    fault: str, counted_as: str, times: int, deliveries: int, tmp_path: Path
) -> None:
    async with room(fault, tmp_path) as client:
        talked = await send_hundred_messages(client)
    faults = {name: value for name, value in talked.items() if name in FAULTS and value}
    assert faults == {counted_as: times}
    assert talked["deliveries"] == deliveries


async def test_a_member_that_is_disconnected_is_missed(tmp_path: Path) -> None:
    async with room("close", tmp_path) as client:
        talked = await send_hundred_messages(client)
        rest = await asyncio.to_thread(client.await_close, seconds=0)
    assert talked["ready"] == MEMBERS - 1
    assert rest["closed"] == {"1012": 1}


async def test_a_refused_member_is_counted_by_the_reason(tmp_path: Path) -> None:
    server = FaultyServer("refuse")
    target = await server.start(tmp_path)
    with Client(target, MEMBERS) as client:
        connected = await asyncio.to_thread(client.connect, members=MEMBERS, max_connecting=1, timeout=20)
    await server.stop()
    assert connected["ready"] == 1
    assert connected["closed"] == {"HandshakeRefused": 3}


async def test_at_saturation_messages_follow_each_other(tmp_path: Path) -> None:
    async with room("none", tmp_path) as client:
        talked = await asyncio.to_thread(client.saturate, seconds=0.5, window=3)
    assert talked["messages"] > 20
    assert talked["deliveries"] == talked["messages"] * MEMBERS
    assert talked["lost"] == 0


async def test_no_more_messages_are_on_their_way_than_the_window_allows(tmp_path: Path) -> None:
    async with room("swallow", tmp_path) as client:
        talked = await asyncio.to_thread(client.saturate, seconds=0.2, window=3)
    assert (talked["messages"], talked["deliveries"], talked["lost"]) == (3, 0, 12)


def test_a_real_contender_is_measured_from_start_to_end() -> None:
    result = measure_room(Broadcast(), RoomLoad(20, low_rate=20, high_rate=100, seconds=0.5))
    assert result["high_rate"]["deliveries"] == 50 * 20
    assert result["saturation"]["deliveries_per_s"] > 100
    for phase in (result["low_rate"], result["high_rate"], result["saturation"]):
        assert (phase["lost"], phase["duplicated"], phase["out_of_order"], phase["void"]) == (0, 0, 0, "")
        assert phase["us_per_delivery"]["total"] == phase["us_per_delivery"]["server"]
    assert result["saturation"]["us_per_delivery"]["total"] > 0
