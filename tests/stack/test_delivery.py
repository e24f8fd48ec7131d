"""Nothing lost, nothing doubled, nothing out of order: through nginx, gunicorn, both daphnes and Redis."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

from tests.running import Stack
from tests.tab import Tab

MESSAGES = 10_000
ROOMS = ("pier", "lighthouse", "dry-dock")


async def test_ten_thousand_messages_from_all_sides_reach_every_client_once_and_in_order(stack: Stack):
    """4 clients in 3 rooms; senders over each daphne, over nginx and over REST, all at once."""
    *cookies, rest_cookie = stack.people("ann", "ben", "cleo", "dan", "rest")
    rooms = [f"{room}-{uuid4().hex[:6]}" for room in ROOMS]
    async with AsyncExitStack() as open_things:
        ways = ("ws1", "ws2", "", "")
        tabs = [
            await open_things.enter_async_context(await stack.tab(cookie, through=way, timeout_seconds=240))
            for cookie, way in zip(cookies, ways, strict=True)
        ]
        rest = await open_things.enter_async_context(stack.browser(rest_cookie))
        for room in rooms:
            for tab in tabs:
                await tab.join(room, limit=0)
            assert (await rest.post(f"/api/rooms/{room}/join/")).status_code == 200

        acked: dict[str, set[str]] = {room: set() for room in rooms}
        bodies = iter(range(MESSAGES))

        async def over_socket(tab: Tab, room: str) -> None:
            for body in bodies:
                ok = await tab.post(room, str(body))
                acked[room].add(ok["message"]["body"])

        async def over_rest(room: str) -> None:
            for body in bodies:
                answer = await rest.post(f"/api/rooms/{room}/messages/", json={"cid": str(uuid4()), "body": str(body)})
                assert answer.status_code == 201, answer.text
                acked[room].add(answer.json()["body"])

        senders = [over_socket(tab, room) for tab in tabs for room in rooms] + [over_rest(room) for room in rooms]
        await asyncio.gather(*senders)
        assert sum(map(len, acked.values())) == MESSAGES

        for tab in tabs:
            for room in rooms:
                await assert_complete(tab, room, acked[room])


async def assert_complete(tab: Tab, room: str, acked: set[str]) -> None:
    """Every acked message came live, once; the counters of all that came have no hole."""
    known = tab.rooms[room]
    await tab.until(lambda _: len(known.posts) >= len(acked), f"{len(acked)} messages in {room}")
    assert len(known.posts) == len(acked)
    assert {post["body"] for post in known.posts} == acked
    assert known.seqs == list(range(known.seqs[0], known.seqs[0] + len(known.seqs)))
