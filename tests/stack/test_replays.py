"""A client that lost the answer asks again; the room must not hear it twice."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from tests.running import Stack


@pytest.fixture(params=["sqlite", "postgres"])
def any_stack(request):
    return request.getfixturevalue("stack" if request.param == "sqlite" else "postgres_stack")


async def test_a_thousand_replays_of_one_cid_are_one_message(any_stack: Stack):
    (cookie,) = any_stack.people("ann")
    room, cid = f"echo-{uuid4().hex[:6]}", str(uuid4())
    async with AsyncExitStack() as open_things:
        tabs = [
            await open_things.enter_async_context(await any_stack.tab(cookie, through=way))
            for way in ("ws1", "ws2", "", "")
        ]
        rest = await open_things.enter_async_context(any_stack.browser(cookie))
        for tab in tabs:
            await tab.join(room)

        async def over_socket(number: int) -> tuple[dict, bool]:
            ok = await tabs[number % len(tabs)].post(room, "Once", cid)
            return ok["message"], ok["dup"]

        async def over_rest() -> tuple[dict, bool]:
            answer = await rest.post(f"/api/rooms/{room}/messages/", json={"cid": cid, "body": "Once"})
            assert answer.status_code in (200, 201), answer.text
            return answer.json(), answer.status_code == 200

        answers = await asyncio.gather(*(over_socket(n) for n in range(800)), *(over_rest() for _ in range(200)))
        assert len(answers) == 1000
        assert all(message == answers[0][0] for message, _ in answers)
        assert [dup for _, dup in answers].count(False) == 1
        await tabs[0].post(room, "And on")
        for tab in tabs:
            await tab.hears(room, "And on")
            assert [post["body"] for post in tab.rooms[room].posts] == ["Once", "And on"]
        page = await tabs[0].ask("history", room=room)
        assert [event["message"]["body"] for event in page["events"]] == ["Once", "And on"]
