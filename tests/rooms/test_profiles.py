"""A room's limits: how long a message may be, and how many are kept."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Room
from chat.services import history, messages
from chat.services.errors import BadMessage
from tests.chat_client import Refused


def profile(**fields: int) -> None:
    Room.objects.update(**fields)


def say(user, body: str):
    return messages.post_message(room="harbour", author=user, body=body, cid=uuid4()).message


def test_a_room_limits_the_length_of_messages(room, alice):
    profile(body_chars=140)
    posted = say(alice, "x" * 140)
    with pytest.raises(BadMessage, match="140"):
        say(alice, "x" * 141)
    with pytest.raises(BadMessage, match="140"):
        messages.edit_message(message=posted.pk, author=alice, body="x" * 141, rev=posted.rev)


async def test_joined_has_the_rooms_limit(connect, room, alice):
    await sync_to_async(profile)(body_chars=140)
    async with connect(alice) as hers:
        assert (await hers.join("harbour"))["info"]["body"] == 140
        with pytest.raises(Refused, match="bad_message"):
            await hers.post("harbour", "x" * 141)


def test_only_the_newest_messages_are_kept(room, alice, bob):
    profile(max_messages=3)
    for number in range(7):
        say(alice, str(number))
    page = history.load_page(slug="harbour", user=bob, limit=100)
    assert [event.message.body for event in page.events] == ["4", "5", "6"]
    assert not page.more
    assert Message.objects.count() == 3


def test_of_a_batch_larger_than_the_limit_the_end_is_kept(room, alice):
    profile(max_messages=2)
    posts = [messages.Post("harbour", alice, str(number), uuid4()) for number in range(5)]
    assert [posted.message.body for posted in messages.post_messages(posts)] == list("01234")
    assert sorted(Message.objects.values_list("body", flat=True)) == ["3", "4"]


async def test_a_client_that_resumes_below_the_floor_gets_the_newest_page(connect, room, alice, bob):
    await sync_to_async(profile)(max_messages=2)
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        since = {"epoch": his.rooms["harbour"].epoch, "seq": his.rooms["harbour"].last}
        for body in "abcd":
            await hers.post("harbour", body)
        await his.wait_for_message("harbour", "d")
        assert [post["body"] for post in his.rooms["harbour"].posts] == list("abcd")
        back = await hers.request("join", room="harbour", since=since)
        assert (back["recovered"], [event["message"]["body"] for event in back["events"]]) == (False, ["c", "d"])


def test_a_reply_to_a_deleted_old_message_stays(room, alice):
    first = say(alice, "first")
    messages.post_message(room="harbour", author=alice, body="yes", cid=uuid4(), reply_to=first.pk)
    profile(max_messages=1)
    say(alice, "third")
    profile(max_messages=None)
    assert [message.reply_to_id for message in Message.objects.all()] == [None]
