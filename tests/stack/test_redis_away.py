"""When Redis is killed, no message is lost and everything works, only slower."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import uuid4

from channels_realtime.hub import POLL_INTERVAL_SECONDS
from tests.chat_client import ChatClient
from tests.running import Stack
from tests.stack.test_delivery import assert_complete

AWAY_SECONDS = 10


async def test_no_message_is_lost_while_redis_is_away_for_ten_seconds(stack: Stack):
    log_start = len(stack.log())
    ann, ben, cleo = stack.people("ann", "ben", "cleo")
    room = f"storm-{uuid4().hex[:6]}"
    acked: set[str] = set()
    async with AsyncExitStack() as exits:
        clients = [
            await exits.enter_async_context(await stack.connect(cookie, through=through))
            for cookie, through in ((ann, "ws1"), (ben, "ws2"), (cleo, ""))
        ]
        rest = await exits.enter_async_context(stack.browser(ann))
        for client in clients:
            await client.join(room)
        stop = asyncio.Event()

        async def keep_sending(client: ChatClient, name: str) -> float:
            """Send until stopped. Returns the longest wait for an acknowledgement in seconds."""
            slowest = 0.0
            while not stop.is_set():
                began = time.monotonic()
                body = f"{name} {uuid4()}"
                acked.add((await client.post(room, body))["message"]["body"])
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.02)  # the rate of each sender
            return slowest

        async def keep_posting() -> None:
            while not stop.is_set():
                body = f"rest {uuid4()}"
                answer = await rest.post(f"/api/rooms/{room}/messages/", json={"cid": str(uuid4()), "body": body})
                assert answer.status_code == 201, answer.text
                acked.add(body)
                await asyncio.sleep(0.02)

        sending = [
            asyncio.ensure_future(keep_sending(client, name)) for client, name in zip(clients, "abc", strict=True)
        ]
        posting = asyncio.ensure_future(keep_posting())
        await clients[0].wait_until(lambda client: len(client.rooms[room].posts) > 50, "the first messages")

        stack.kill("redis", hold=True)
        away_until = time.monotonic() + AWAY_SECONDS
        # Messages from the other daphne arrive within one poll.
        for sender, receiver in ((clients[0], clients[1]), (clients[1], clients[0])):
            body = f"without Redis {uuid4()}"
            acked.add((await sender.post(room, body))["message"]["body"])
            async with asyncio.timeout(POLL_INTERVAL_SECONDS + 2):
                await receiver.wait_for_message(room, body)

        # A new user can sign in, connect, read the history and create a room.
        async with stack.browser() as newcomer:
            answer = await newcomer.post("/guest/", data={"name": "Late", "next": ""})
            assert answer.status_code == 302, answer.text
            async with await stack.connect(newcomer.cookies["sessionid"], through="ws2") as late:
                assert (await late.join(room))["events"]
                assert (await late.request("history", room=room, limit=10))["more"]
                await late.join(f"new-{room}")
                acked.add((await late.post(room, "I am late"))["message"]["body"])
                await clients[0].wait_for_message(room, "I am late")

        await asyncio.sleep(max(0.0, away_until - time.monotonic()))  # Redis stays away for the whole time
        stack.release("redis")
        await _wait_for_redis(stack)
        returned = time.monotonic()
        stop.set()
        await asyncio.gather(*sending, posting)
        async with asyncio.timeout(5 - (time.monotonic() - returned) + 1):
            for client in clients:
                await assert_complete(client, room, acked)
    log = stack.log()[log_start:]
    assert "The channel layer is away" in log
    assert "Traceback" not in log


async def _wait_for_redis(stack: Stack) -> None:
    from redis import asyncio as redis

    client = redis.Redis(unix_socket_path=str(stack.folder / "var/run/redis.sock"))
    async with asyncio.timeout(30):
        while True:
            try:
                await client.ping()
            except redis.ConnectionError:
                await asyncio.sleep(0.05)
            else:
                break
    await client.aclose()
