"""Who is online, through Redis: seen alike by the members on both daphnes, also after one of them was killed."""

import asyncio
import json
from uuid import uuid4

from realtime.presence import EXPIRE_AFTER_SECONDS, POLL_INTERVAL_SECONDS
from tests.running import Stack
from tests.tab import Tab

ONLINE = """
import json, sys
from accounts.models import User
from realtime.presence import load_presence
ids = json.loads(sys.argv[1])
print(json.dumps(sorted(load_presence(ids).items())))
"""


def last_seen(tab: Tab, room: str) -> dict | None:
    seen = [f for f in tab.frames if f["type"] == "ephemeral" and f["kind"] == "presence" and f["room"] == room]
    return seen[-1] if seen else None


def shows(room: str, *people: Tab):
    ids = sorted(person.welcome["user"]["id"] for person in people)
    return lambda tab: (last_seen(tab, room) or {}).get("online") == ids


async def back(stack: Stack, cookie: str) -> None:
    """The killed one serves again: a later test may need it."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with await stack.tab(cookie, through="ws2"):
                    return
            except OSError:
                await asyncio.sleep(0.1)  # it starts


async def test_presence_is_right_within_a_minute_after_a_daphne_was_killed(stack: Stack):
    cookies = stack.people("pia", "quin", "rosa")
    room = f"quay-{uuid4().hex[:6]}"
    async with await stack.tab(cookies[0], through="ws1") as pia, await stack.tab(cookies[1], through="ws2") as quin:
        for tab in (pia, quin):
            await tab.join(room)
        for tab in (pia, quin):
            await tab.until(shows(room, pia, quin), "both to be seen on both sides")
        async with await stack.tab(cookies[2], through="ws1") as rosa:
            await rosa.join(room)
            await quin.until(shows(room, pia, quin, rosa), "the third to be seen")
        await quin.until(shows(room, pia, quin), "who went to be gone")
        ids = [tab.welcome["user"]["id"] for tab in (pia, quin, rosa)]
        listed = [[one, "online"] for one in sorted(ids[:2])]
        said = json.loads(stack.run_python(ONLINE, json.dumps(ids)))
        assert [one for one in said if one[0] != ids[2]] == listed

        stack.kill("ws2", hold=True)
        try:
            async with asyncio.timeout(EXPIRE_AFTER_SECONDS + 2 * POLL_INTERVAL_SECONDS):
                await pia.until(shows(room, pia), "who was on the killed one to be gone")
        finally:
            stack.release("ws2")
            await back(stack, cookies[1])
        assert EXPIRE_AFTER_SECONDS + 2 * POLL_INTERVAL_SECONDS < 60
