"""Redis and PostgreSQL are down for twenty seconds each, while members talk."""

import asyncio
import json
import time
from typing import Any

from tests.docker.compose import Compose
from tests.docker.crowd import Talk, assert_all_received, crowd

AWAY_SECONDS = 20
RATE = 10  # messages a second
SEND_TIMEOUT_SECONDS = 5  # without Redis; with it, a message takes milliseconds

STORED = """
import json
from chat.models import Message
print(json.dumps(list(Message.objects.filter(room__slug={room!r}).values_list("body", flat=True))))
"""


async def kill_and_wait(compose: Compose, service: str) -> None:
    """Kill the service and return after AWAY_SECONDS."""
    await asyncio.to_thread(compose, "kill", service)
    await asyncio.sleep(AWAY_SECONDS)


async def await_healthy(compose: Compose) -> None:
    """Wait until every container is healthy again by itself. Docker checks that every 5 s."""
    async with asyncio.timeout(30):
        while sick := [c["Name"] for c in compose.inspect(*compose.containers()) if read_health(c) != "healthy"]:
            print("not healthy yet:", sick)
            await asyncio.sleep(0.5)


def read_health(container: dict[str, Any]) -> str:
    return str(container["State"]["Health"]["Status"])


def stored(compose: Compose, room: str) -> list[str]:
    return list(json.loads(compose.shell(STORED.format(room=room))))


async def test_the_chat_works_without_redis(compose: Compose, room: str) -> None:
    async with crowd(compose.site, compose.people("ann", "ben", "cleo"), room, 12) as members:
        async with Talk(members, RATE) as talk:
            await talk.acks(20)
            before = len(talk.acked)
            await kill_and_wait(compose, "redis")
            meanwhile = len(talk.acked) - before
            compose("start", "redis")
            await talk.acks(50)
        assert meanwhile > 0.9 * RATE * AWAY_SECONDS
        assert talk.slowest < SEND_TIMEOUT_SECONDS
        assert [member.refusals for member in members if member.refusals] == []
        assert [member.away for member in members if member.away] == [], "a socket was closed"
        await assert_all_received(members, talk.acked)
    await await_healthy(compose)


async def test_without_postgres_no_message_is_acknowledged_and_the_site_recovers(compose: Compose, room: str) -> None:
    async with crowd(compose.site, compose.people("ann", "ben", "cleo"), room, 12) as members:
        async with Talk(members, RATE) as talk:
            await talk.acks(20)
            await asyncio.to_thread(compose, "kill", "postgres")
            killed, acked = time.monotonic(), len(talk.acked)
            while sum(len(member.refusals) for member in members) < 20:
                assert time.monotonic() < killed + AWAY_SECONDS, "no member was informed"
                await asyncio.sleep(0.1)
            informed = time.monotonic() - killed
            await asyncio.sleep(AWAY_SECONDS - informed)
            assert len(talk.acked) <= acked + 5, "acknowledged without a database"  # on their way when it was killed
            compose("start", "postgres")
            await talk.acks(100)
        codes = {refused.code for member in members for refused in member.refusals}
        print(codes, informed)
        assert codes <= {"unavailable", "busy"}
        assert set(talk.acked) <= set(stored(compose, room))
        await assert_all_received(members, talk.acked)
    await await_healthy(compose)
