"""Messages that one socket sends faster than they are stored."""

from uuid import uuid4

import pytest
from django.db import OperationalError

from chat.models import Message
from chat.services.messages import post_messages
from chat.ws import application, consumer
from tests.chat_client import Refused


@pytest.fixture
def transactions(monkeypatch):
    """How many messages each transaction stored."""
    sizes = []

    def noted(posts):
        sizes.append(len(posts))
        return post_messages(posts)

    monkeypatch.setattr(application, "post_messages", noted)
    return sizes


async def send(client, *bodies, room="harbour"):
    return [await client.send_command("send", room=room, cid=str(uuid4()), body=body) for body in bodies]


async def test_a_burst_shares_transactions_and_keeps_its_order(connect, room, alice, bob, transactions):
    bodies = [f"line {number}" for number in range(20)]
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        numbers = await send(hers, *bodies)
        answers = [await hers.wait_for_answer(number) for number in numbers]
        assert [answer["message"]["body"] for answer in answers] == bodies
        await his.wait_for_message("harbour", bodies[-1])
        assert [post["body"] for post in his.rooms["harbour"].posts] == bodies
    assert sum(transactions) == 20
    assert len(transactions) <= 10


async def test_a_command_runs_after_the_posts_that_were_sent_before_it(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        for count in range(1, 6):
            await send(hers, f"line {count}")
            page = await hers.request("history", room="harbour")
            assert len([event for event in page["events"] if event["kind"] == "message"]) == count
        await send(hers, "before I go")
        await hers.request("leave", room="harbour")
    assert await Message.objects.filter(body="before I go").aexists()


async def test_a_refused_post_does_not_stop_the_others(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        numbers = await send(hers, "one", " ", "three")
        assert (await hers.wait_for_answer(numbers[0]))["message"]["body"] == "one"
        with pytest.raises(Refused) as refused:
            await hers.wait_for_answer(numbers[1])
        assert refused.value.code == "bad_message"
        assert (await hers.wait_for_answer(numbers[2]))["message"]["body"] == "three"


async def test_while_the_database_is_away_each_post_is_refused(connect, room, alice, monkeypatch):
    def away(posts):
        raise OperationalError("gone")

    async with connect(alice, "harbour") as hers:
        monkeypatch.setattr(application, "post_messages", away)
        for number in await send(hers, "one", "two"):
            with pytest.raises(Refused) as refused:
                await hers.wait_for_answer(number)
            assert refused.value.code == "unavailable"


async def test_a_socket_has_a_limited_number_of_posts_in_progress(connect, room, alice, monkeypatch, transactions):
    monkeypatch.setattr(consumer, "MAX_UNCOMMITTED_POSTS", 3)
    async with connect(alice, "harbour") as hers:
        numbers = await send(hers, *map(str, range(12)))
        for number in numbers:
            await hers.wait_for_answer(number)
    assert max(transactions) <= 3
