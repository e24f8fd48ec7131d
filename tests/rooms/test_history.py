"""Reading older and newer pages of messages."""

from contextlib import asynccontextmanager

import pytest

from chat.models import Room
from tests.chat_client import Refused


@pytest.fixture
def scrolling(connect, room, alice):
    """A client of alice in a room with the messages 1 to 7, and joins of bob and another user between them."""

    @asynccontextmanager
    async def opened():
        async with connect(alice, "harbour") as hers:
            for number in range(1, 8):
                await hers.post("harbour", str(number))
            await hers.wait_for_message("harbour", "7")
            yield hers

    return opened


async def page(client, **asked):
    """What the page says, and whether there is more in that direction."""
    answer = await client.request("history", room="harbour", **asked)
    return " ".join(event["message"]["body"] for event in answer["events"]), answer["more"]


def seq_of(client, body):
    return next(m["seq"] for m in client.rooms["harbour"].messages.values() if m["body"] == body)


async def test_a_page_holds_the_newest_messages_oldest_first(scrolling):
    async with scrolling() as client:
        assert await page(client) == ("1 2 3 4 5 6 7", False)
        assert await page(client, limit=3) == ("5 6 7", True)
        assert await page(client, limit=7) == ("1 2 3 4 5 6 7", False)


async def test_before_returns_the_messages_right_before_a_seq(scrolling):
    async with scrolling() as client:
        assert await page(client, before=seq_of(client, "5"), limit=2) == ("3 4", True)
        assert await page(client, before=seq_of(client, "3"), limit=2) == ("1 2", False)
        assert await page(client, before=seq_of(client, "1")) == ("", False)
        assert await page(client, before=0) == ("", False)
        assert await page(client, before=2**53 - 1, limit=1) == ("7", True)


async def test_after_returns_the_messages_right_after_a_seq(scrolling):
    async with scrolling() as client:
        assert await page(client, after=seq_of(client, "3"), limit=2) == ("4 5", True)
        assert await page(client, after=seq_of(client, "5"), limit=2) == ("6 7", False)
        assert await page(client, after=seq_of(client, "7")) == ("", False)
        assert await page(client, after=0, limit=1) == ("1", True)


async def test_before_and_after_at_once_is_refused(scrolling):
    async with scrolling() as client:
        with pytest.raises(Refused) as refused:
            await page(client, before=5, after=2)
        assert refused.value.code == "invalid"


async def test_an_empty_room_has_an_empty_page(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        assert await page(hers) == ("", False)


async def test_messages_are_at_their_first_position_with_their_newest_content(scrolling):
    async with scrolling() as client:
        third = next(m for m in client.rooms["harbour"].messages.values() if m["body"] == "3")
        fifth = next(m for m in client.rooms["harbour"].messages.values() if m["body"] == "5")
        edited = (await client.request("edit", message=third["id"], body="three", rev=third["rev"]))["message"]
        deleted = (await client.request("delete", message=fifth["id"]))["message"]
        answer = await client.request("history", room="harbour")
        assert [event["message"]["body"] for event in answer["events"]] == ["1", "2", "three", "4", "", "6", "7"]
        assert [event["message"] for event in answer["events"]][2:5:2] == [edited, deleted]
        assert answer["events"][2]["seq"] == edited["rev"] > edited["seq"]


async def test_messages_at_or_below_the_floor_are_not_returned(scrolling):
    async with scrolling() as client:
        await Room.objects.filter(slug="harbour").aupdate(floor=seq_of(client, "2"))
        assert await page(client) == ("3 4 5 6 7", False)
        assert await page(client, after=0) == ("3 4 5 6 7", False)
        assert await page(client, before=seq_of(client, "4")) == ("3", False)


async def test_scrolling_to_the_top_ends_with_the_whole_room(scrolling, connect, bob):
    async with scrolling(), connect(bob) as his:
        await his.join("harbour", limit=2)
        scrolled = []
        while his.rooms["harbour"].start:
            scrolled.append(len((await his.load_older("harbour", limit=2))["events"]))
        assert scrolled == [2, 2, 1]
        assert [message["body"] for message in his.rooms["harbour"].visible] == list("1234567")
