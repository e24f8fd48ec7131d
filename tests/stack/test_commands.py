"""A command of manage.py publishes its events before its process ends."""

import asyncio

from tests.running import Stack

TYPING = """
from accounts.models import User
from chat.events import Ephemeral, of_person
from chat.models import Room
from channels_realtime.publisher import publish_ephemeral
user = of_person(User.objects.get(username="ben"))
room = Room.objects.get(slug="from-a-shell")
publish_ephemeral(room.stream, Ephemeral(room=room.slug, kind="typing", user=user, on=True).text)
"""


async def test_an_event_published_by_a_command_arrives_although_its_process_ends_at_once(stack: Stack):
    (cookie, _) = stack.people("ann", "ben")
    async with await stack.connect(cookie) as ann:
        await ann.join("from-a-shell")
        await asyncio.to_thread(
            stack.run_python, TYPING
        )  # the process ends at once; a poll does not deliver ephemeral events
        await ann.wait_until(
            lambda client: any(frame.get("kind") == "typing" for frame in client.frames), "the typing event"
        )
