"""Private rooms."""

import re

import pytest
from asgiref.sync import sync_to_async

from chat.services import members, rooms
from chat.services.errors import BadName, RoomNotFound
from tests.chat_client import Refused

add = sync_to_async(members.add_member)


async def test_the_slug_is_random_and_does_not_reveal_the_title(secret, alice):
    other = await sync_to_async(rooms.create_private_room)(title="Crew only", owner=alice)
    assert other.slug != secret.slug
    for room in (secret, other):
        assert re.fullmatch(r"~[A-Za-z0-9_-]{16}", room.slug)


async def test_members_of_a_private_room_can_post(connect, secret, alice, bob):
    async with connect(alice, secret.slug) as hers, connect(bob, secret.slug) as his:
        await his.post(secret.slug, "psst")
        assert (await hers.wait_for_message(secret.slug, "psst"))["author"]["name"] == "bob"
        assert (await hers.join(secret.slug))["info"]["title"] == "Crew only"


async def test_an_added_member_is_published_and_can_join(connect, secret, alice, mallory):
    async with connect(alice, secret.slug) as hers, connect(mallory) as theirs:
        with pytest.raises(Refused):
            await theirs.join(secret.slug)
        await add(slug=secret.slug, by=alice, user=mallory)
        event = (await hers.wait_for_frame("events"))["events"][0]
        assert (event["kind"], event["member"]["user"]["name"]) == ("member", "mallory")
        assert (event["member"]["state"], event["member"]["role"]) == ("joined", "member")
        assert (await theirs.join(secret.slug))["members"] == 3


async def test_adding_a_member_twice_is_one_change(secret, alice, mallory):
    first = await add(slug=secret.slug, by=alice, user=mallory)
    again = await add(slug=secret.slug, by=alice, user=mallory)
    assert (first.pk, first.rev) == (again.pk, again.rev)


async def test_only_the_owner_or_a_moderator_adds_members(secret, bob, mallory):
    for user in (bob, mallory):
        with pytest.raises(RoomNotFound):
            await add(slug=secret.slug, by=user, user=mallory)


async def test_a_member_who_left_cannot_join_until_added_again(connect, secret, alice, bob):
    async with connect(bob, secret.slug) as his:
        await his.request("leave", room=secret.slug)
        with pytest.raises(Refused) as refused:
            await his.join(secret.slug)
        assert refused.value.code == "not_found"
        await add(slug=secret.slug, by=alice, user=bob)
        assert (await his.join(secret.slug))["members"] == 2


@pytest.mark.parametrize("title", ["", " \t\n", "\x00", "x" * 81])
async def test_a_private_room_needs_a_title_of_at_most_80_characters(alice, title):
    with pytest.raises(BadName):
        await sync_to_async(rooms.create_private_room)(title=title, owner=alice)
    assert await sync_to_async(rooms.list_rooms)(alice) == []
