"""Presence over Redis is the same for the members on both daphnes, also after one daphne was killed."""

import asyncio
import json
from uuid import uuid4

from channels_realtime.presence import EXPIRE_AFTER_SECONDS, POLL_INTERVAL_SECONDS
from tests.chat_client import ChatClient
from tests.running import Stack

ONLINE = """
import json, sys
from accounts.models import User
from channels_realtime.presence import load_presence
ids = json.loads(sys.argv[1])
print(json.dumps(sorted(load_presence(ids).items())))
"""


def latest_presence(client: ChatClient, room: str) -> dict | None:
    """Return the last presence event of the room that the client received."""
    received = [f for f in client.frames if f["type"] == "ephemeral" and f["kind"] == "presence" and f["room"] == room]
    return received[-1] if received else None


def shows_online(room: str, *clients: ChatClient):
    """Return a condition: the client shows_online the users of exactly these clients as online."""
    ids = sorted(client.welcome["user"]["id"] for client in clients)
    return lambda client: (latest_presence(client, room) or {}).get("online") == ids


async def wait_for_ws2(stack: Stack, cookie: str) -> None:
    """Wait until the killed daphne serves again: the next test needs it."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with await stack.connect(cookie, through="ws2"):
                    return
            except OSError:
                await asyncio.sleep(0.1)  # it is starting


async def test_presence_is_right_within_a_minute_after_a_daphne_was_killed(stack: Stack):
    cookies = stack.people("pia", "quin", "rosa")
    room = f"quay-{uuid4().hex[:6]}"
    async with (
        await stack.connect(cookies[0], through="ws1") as pia,
        await stack.connect(cookies[1], through="ws2") as quin,
    ):
        for client in (pia, quin):
            await client.join(room)
        for client in (pia, quin):
            await client.wait_until(shows_online(room, pia, quin), "both users to be online on both daphnes")
        async with await stack.connect(cookies[2], through="ws1") as rosa:
            await rosa.join(room)
            await quin.wait_until(shows_online(room, pia, quin, rosa), "the third user to be online")
        await quin.wait_until(shows_online(room, pia, quin), "the third user to be offline")
        ids = [client.welcome["user"]["id"] for client in (pia, quin, rosa)]
        online = [[user_id, "online"] for user_id in sorted(ids[:2])]
        loaded = json.loads(stack.run_python(ONLINE, json.dumps(ids)))
        assert [entry for entry in loaded if entry[0] != ids[2]] == online

        stack.kill("ws2", hold=True)
        try:
            async with asyncio.timeout(EXPIRE_AFTER_SECONDS + 2 * POLL_INTERVAL_SECONDS):
                await pia.wait_until(shows_online(room, pia), "the user on the killed daphne to be offline")
        finally:
            stack.release("ws2")
            await wait_for_ws2(stack, cookies[1])
        assert EXPIRE_AFTER_SECONDS + 2 * POLL_INTERVAL_SECONDS < 60
