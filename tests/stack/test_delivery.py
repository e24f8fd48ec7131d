"""No message is lost, delivered twice or out of order: through nginx, gunicorn, both daphnes and Redis."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

from tests.chat_client import ChatClient
from tests.running import Stack

MESSAGES = 10_000
ROOMS = ("pier", "lighthouse", "dry-dock")


async def test_ten_thousand_messages_over_every_path_reach_every_client_once_and_in_order(stack: Stack):
    """Four clients in three rooms; messages are sent through each daphne, through nginx and over REST at once."""
    *cookies, rest_cookie = stack.people("ann", "ben", "cleo", "dan", "rest")
    rooms = [f"{room}-{uuid4().hex[:6]}" for room in ROOMS]
    async with AsyncExitStack() as exits:
        routes = ("ws1", "ws2", "", "")
        clients = [
            await exits.enter_async_context(await stack.connect(cookie, through=through, timeout_seconds=240))
            for cookie, through in zip(cookies, routes, strict=True)
        ]
        rest = await exits.enter_async_context(stack.browser(rest_cookie))
        for room in rooms:
            for client in clients:
                await client.join(room, limit=0)
            assert (await rest.post(f"/api/rooms/{room}/join/")).status_code == 200

        acked: dict[str, set[str]] = {room: set() for room in rooms}
        bodies = iter(range(MESSAGES))

        async def send_over_socket(client: ChatClient, room: str) -> None:
            for body in bodies:
                ok = await client.post(room, str(body))
                acked[room].add(ok["message"]["body"])

        async def send_over_rest(room: str) -> None:
            for body in bodies:
                answer = await rest.post(f"/api/rooms/{room}/messages/", json={"cid": str(uuid4()), "body": str(body)})
                assert answer.status_code == 201, answer.text
                acked[room].add(answer.json()["body"])

        senders = [send_over_socket(client, room) for client in clients for room in rooms] + [
            send_over_rest(room) for room in rooms
        ]
        await asyncio.gather(*senders)
        assert sum(map(len, acked.values())) == MESSAGES

        for client in clients:
            for room in rooms:
                await assert_complete(client, room, acked[room])


async def assert_complete(client: ChatClient, room: str, acked: set[str]) -> None:
    """Check that the client received every acknowledged message live and once, and that its events have no gap."""
    known = client.rooms[room]
    await client.wait_until(lambda _: len(known.posts) >= len(acked), f"{len(acked)} messages in {room}")
    assert len(known.posts) == len(acked)
    assert {post["body"] for post in known.posts} == acked
    assert known.seqs == list(range(known.seqs[0], known.seqs[0] + len(known.seqs)))
