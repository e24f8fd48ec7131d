"""A client that did not receive the acknowledgement sends again, and the message is stored and delivered once."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from tests.running import Stack


@pytest.fixture(params=["sqlite", "postgres"])
def any_stack(request):
    return request.getfixturevalue("stack" if request.param == "sqlite" else "postgres_stack")


async def test_a_message_sent_a_thousand_times_with_the_same_cid_is_stored_and_delivered_once(any_stack: Stack):
    (cookie,) = any_stack.people("ann")
    room, cid = f"echo-{uuid4().hex[:6]}", str(uuid4())
    async with AsyncExitStack() as exits:
        clients = [
            await exits.enter_async_context(await any_stack.connect(cookie, through=through))
            for through in ("ws1", "ws2", "", "")
        ]
        rest = await exits.enter_async_context(any_stack.browser(cookie))
        for client in clients:
            await client.join(room)

        async def send_over_socket(number: int) -> tuple[dict, bool]:
            ok = await clients[number % len(clients)].post(room, "Once", cid)
            return ok["message"], ok["dup"]

        async def send_over_rest() -> tuple[dict, bool]:
            answer = await rest.post(f"/api/rooms/{room}/messages/", json={"cid": cid, "body": "Once"})
            assert answer.status_code in (200, 201), answer.text
            return answer.json(), answer.status_code == 200

        answers = await asyncio.gather(
            *(send_over_socket(n) for n in range(800)), *(send_over_rest() for _ in range(200))
        )
        assert len(answers) == 1000
        assert all(message == answers[0][0] for message, _ in answers)
        assert [dup for _, dup in answers].count(False) == 1
        await clients[0].post(room, "Next")
        for client in clients:
            await client.wait_for_message(room, "Next")
            assert [post["body"] for post in client.rooms[room].posts] == ["Once", "Next"]
        history = await clients[0].request("history", room=room)
        assert [event["message"]["body"] for event in history["events"]] == ["Once", "Next"]
