"""Redis away, PostgreSQL away: twenty seconds each, while people talk."""

import asyncio
import json
import time
from typing import Any

from tests.docker.compose import Compose
from tests.docker.crowd import Talk, crowd, everybody_has_everything

AWAY_SECONDS = 20
RATE = 10  # messages a second
PATIENCE = 5  # seconds that a send may take without Redis; with it, it is milliseconds

STORED = """
import json
from chat.models import Message
print(json.dumps(list(Message.objects.filter(room__slug={room!r}).values_list("body", flat=True))))
"""


async def away(compose: Compose, service: str) -> None:
    """kill -9, and back after the time that the fault lasts."""
    await asyncio.to_thread(compose, "kill", service)
    await asyncio.sleep(AWAY_SECONDS)


async def healed(compose: Compose) -> None:
    """Every container is well again, and nobody has lent a hand. Health is looked at every 5 s."""
    async with asyncio.timeout(30):
        while sick := [c["Name"] for c in compose.inspect(*compose.containers()) if well(c) != "healthy"]:
            print("not yet:", sick)
            await asyncio.sleep(0.5)


def well(container: dict[str, Any]) -> str:
    return str(container["State"]["Health"]["Status"])


def stored(compose: Compose, room: str) -> list[str]:
    return list(json.loads(compose.shell(STORED.format(room=room))))


async def test_without_redis_everything_goes_on(compose: Compose, room: str) -> None:
    async with crowd(compose.site, compose.people("ann", "ben", "cleo"), room, 12) as members:
        async with Talk(members, RATE) as talk:
            await talk.acks(20)
            before = len(talk.acked)
            await away(compose, "redis")
            meanwhile = len(talk.acked) - before
            compose("start", "redis")
            await talk.acks(50)
        assert meanwhile > 0.9 * RATE * AWAY_SECONDS
        assert talk.slowest < PATIENCE
        assert [member.refusals for member in members if member.refusals] == []
        assert [member.away for member in members if member.away] == [], "a socket was closed"
        await everybody_has_everything(members, talk.acked)
    await healed(compose)


async def test_without_postgres_nothing_is_acked_and_everything_heals(compose: Compose, room: str) -> None:
    async with crowd(compose.site, compose.people("ann", "ben", "cleo"), room, 12) as members:
        async with Talk(members, RATE) as talk:
            await talk.acks(20)
            await asyncio.to_thread(compose, "kill", "postgres")
            killed, acked = time.monotonic(), len(talk.acked)
            while sum(len(member.refusals) for member in members) < 20:
                assert time.monotonic() < killed + AWAY_SECONDS, "nobody was told"
                await asyncio.sleep(0.1)
            told = time.monotonic() - killed
            await asyncio.sleep(AWAY_SECONDS - told)
            assert len(talk.acked) <= acked + 5, "acked without a database"  # on their way when it was killed
            compose("start", "postgres")
            await talk.acks(100)
        codes = {refused.code for member in members for refused in member.refusals}
        print(codes, told)
        assert codes <= {"unavailable", "busy"}
        assert set(talk.acked) <= set(stored(compose, room))
        await everybody_has_everything(members, talk.acked)
    await healed(compose)
