"""A room's title and topic."""

import pytest
from asgiref.sync import sync_to_async

from chat import limits
from chat.models import Room
from chat.services import rooms
from chat.services.errors import BadName, RoomNotFound

describe = sync_to_async(rooms.update_room)


async def test_the_owner_describes_the_room_and_everyone_sees_it(connect, room, alice, bob):
    async with connect(bob, "harbour") as his:
        await describe(slug="harbour", user=alice, title=" The\n Harbour ", topic="tides\x00 and\ttowns")
        event = (await his.wait_for_frame("events"))["events"][0]
        assert (event["kind"], event["seq"]) == ("room", his.rooms["harbour"].last)
        assert event["info"] == {
            "slug": "harbour",
            "title": "The Harbour",
            "topic": "tides and towns",
            "kind": "open",
            "body": limits.BODY_CHARS,
        }
        assert (await his.join("harbour"))["info"] == event["info"]


async def test_a_field_that_is_left_out_stays(room, alice):
    await describe(slug="harbour", user=alice, title="Title", topic="topic")
    await describe(slug="harbour", user=alice, title="Other")
    described = await describe(slug="harbour", user=alice, topic="else")
    assert (described.title, described.topic) == ("Other", "else")


async def test_an_open_room_without_a_title_shows_its_name(connect, room, alice, bob):
    await describe(slug="harbour", user=alice, title="Title")
    await describe(slug="harbour", user=alice, title="")
    async with connect(bob) as his:
        assert (await his.join("harbour"))["info"]["title"] == "harbour"


async def test_a_private_room_cannot_lose_its_title(secret, alice):
    with pytest.raises(BadName):
        await describe(slug=secret.slug, user=alice, title=" ")
    assert (await Room.objects.aget(slug=secret.slug)).title == "Crew only"


@pytest.mark.parametrize(
    ("field", "most"), [("title", limits.TITLE_CHARS), ("topic", limits.TOPIC_CHARS)], ids=["title", "topic"]
)
async def test_too_long_a_description_changes_nothing(room, alice, field, most):
    assert getattr(await describe(slug="harbour", user=alice, **{field: "x" * most}), field) == "x" * most
    before = await Room.objects.aget(slug="harbour")
    with pytest.raises(BadName):
        await describe(slug="harbour", user=alice, **{field: "x" * (most + 1)})
    after = await Room.objects.aget(slug="harbour")
    assert (after.head, getattr(after, field)) == (before.head, "x" * most)


async def test_only_the_owner_describes_a_room(room, bob, mallory):
    for user in (bob, mallory):
        with pytest.raises(RoomNotFound):
            await describe(slug="harbour", user=user, title="Mine")


async def test_the_first_member_owns_an_open_room_and_not_again_after_leaving(room, alice, bob):
    await sync_to_async(rooms.leave_room)(slug="harbour", user=alice)
    await sync_to_async(rooms.join_room)(slug="harbour", user=alice)
    with pytest.raises(RoomNotFound):
        await describe(slug="harbour", user=alice, title="Still mine")
