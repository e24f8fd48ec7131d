"""manage.py says what it has done to those who are there, and ends."""

import asyncio

from tests.running import Stack

TYPING = """
from accounts.models import User
from chat.events import Ephemeral, of_person
from chat.models import Room
from realtime.publisher import publish_ephemeral
someone = of_person(User.objects.get(username="ben"))
room = Room.objects.get(slug="from-a-shell")
publish_ephemeral(room.stream, Ephemeral(room=room.slug, kind="typing", user=someone, on=True).text)
"""


async def test_what_a_command_announces_is_heard_though_it_ends_at_once(stack: Stack):
    (cookie, _) = stack.people("ann", "ben")
    async with await stack.tab(cookie) as ann:
        await ann.join("from-a-shell")
        await asyncio.to_thread(stack.run_python, TYPING)  # its last act; no poll would bring this later
        await ann.until(lambda tab: any(frame.get("kind") == "typing" for frame in tab.frames), "the typing indicator")
