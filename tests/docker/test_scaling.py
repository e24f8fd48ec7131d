"""nginx finds more ws replicas by itself, and one of them is killed."""

import asyncio
import re
import time

import pytest

from tests.docker.compose import Compose
from tests.docker.crowd import Talk, assert_all_received, crowd

SOCKETS = 400
REPLICAS = 4
SOCKETS_PER_USER = 8  # the product allows 10


def allowed_deviation(compose: Compose) -> float:
    """Return how far a share may be from a quarter: less where nginx counts sockets than where it selects at random."""
    (version,) = re.findall(r"nginx/(\d+)\.(\d+)\.(\d+)", compose("exec", "-T", "nginx", "sh", "-c", "nginx -v 2>&1"))
    return 0.025 if tuple(map(int, version)) >= (1, 27, 3) else 0.1


@pytest.fixture
def four(compose: Compose):
    compose.up("--no-recreate", "--scale", f"ws={REPLICAS}", "ws")
    yield compose.containers("ws")
    compose.up("--no-recreate", "--scale", "ws=1", "ws")


async def test_four_replicas_share_the_sockets_and_survive_the_death_of_one(
    compose: Compose, four: list[str], room: str, record_property
):
    assert len(four) == REPLICAS
    cookies = compose.people(*(f"person{number}" for number in range(SOCKETS // SOCKETS_PER_USER)))
    async with crowd(compose.site, cookies, room, SOCKETS) as members:
        shares = [compose.sockets(container) / SOCKETS for container in four]
        record_property("shares", shares)
        print("shares", shares)
        assert sum(shares) == 1
        assert all(abs(share - 1 / REPLICAS) <= allowed_deviation(compose) for share in shares), shares

        async with Talk(members, rate=5) as talk:
            await talk.acks(10)
            killed = time.monotonic()
            await asyncio.to_thread(compose.docker, "kill", four[0])
            lost = round(shares[0] * SOCKETS)
            while sum(bool(member.returned) for member in members) < lost:
                assert time.monotonic() < killed + 20, "the members do not reconnect"
                await asyncio.sleep(0.05)
            back = max(member.returned[-1] for member in members if member.returned) - killed
            slowest = max(member.away[-1] for member in members if member.away)
            record_property("seconds_until_all_were_back", round(slowest, 2))
            print("back after", back, "slowest", slowest)
            await talk.acks(10)
        assert slowest < 5, f"{slowest:.1f} s"
        await assert_all_received(members, talk.acked)
