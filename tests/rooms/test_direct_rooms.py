"""Direct conversations of two people."""

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError

from chat.models import Membership, Room
from chat.services import members, rooms
from chat.services.errors import ChatError, RoomNotFound
from tests.chat_client import Refused

open_direct_room = sync_to_async(rooms.open_direct_room)


async def test_two_people_have_one_direct_room_whichever_opens_it(alice, bob, mallory):
    theirs = await open_direct_room(me=alice, other=bob)
    assert await open_direct_room(me=bob, other=alice) == theirs
    assert await open_direct_room(me=alice, other=mallory) != theirs
    assert await Membership.objects.filter(room=theirs).acount() == 2


async def test_the_database_keeps_a_pair_from_having_two(alice, bob):
    theirs = await open_direct_room(me=alice, other=bob)
    with pytest.raises(IntegrityError):
        await Room.objects.acreate(slug="~AAAAAAAAAAAAAAAA", kind="direct", pair=theirs.pair)


@pytest.mark.parametrize(("kind", "pair"), [("direct", None), ("open", "1:2"), ("private", "1:2")])
async def test_the_database_keeps_pairs_to_direct_rooms(transactional_db, kind, pair):
    with pytest.raises(IntegrityError):
        await Room.objects.acreate(slug="~AAAAAAAAAAAAAAAA", kind=kind, pair=pair)


async def test_a_conversation_with_oneself_is_refused(alice):
    with pytest.raises(ChatError, match="two people"):
        await open_direct_room(me=alice, other=alice)
    assert not await Room.objects.aexists()


async def test_each_person_sees_the_other_ones_name(connect, alice, bob):
    theirs = await open_direct_room(me=alice, other=bob)
    async with connect(alice) as hers, connect(bob) as his:
        assert (await hers.join(theirs.slug))["info"]["title"] == "bob"
        assert (await his.join(theirs.slug))["info"]["title"] == "Alice Lind"
    assert (await sync_to_async(rooms.list_rooms)(alice))[0].title == "bob"
    assert (await sync_to_async(rooms.list_rooms)(bob))[0].title == "Alice Lind"


async def test_both_people_of_a_direct_room_can_post(connect, alice, bob):
    theirs = await open_direct_room(me=alice, other=bob)
    async with connect(alice, theirs.slug) as hers, connect(bob, theirs.slug) as his:
        await hers.post(theirs.slug, "Just us?")
        await his.wait_for_message(theirs.slug, "Just us?")


async def test_a_direct_room_cannot_be_left(connect, alice, bob):
    theirs = await open_direct_room(me=alice, other=bob)
    async with connect(bob, theirs.slug) as his:
        with pytest.raises(Refused, match="cannot be left"):
            await his.request("leave", room=theirs.slug)
        await his.post(theirs.slug, "still here")


async def test_a_direct_room_has_no_third_member_and_no_title(alice, bob, mallory):
    theirs = await open_direct_room(me=alice, other=bob)
    with pytest.raises(RoomNotFound):
        await sync_to_async(members.add_member)(slug=theirs.slug, by=alice, user=mallory)
    with pytest.raises(RoomNotFound):
        await sync_to_async(rooms.update_room)(slug=theirs.slug, user=alice, title="Ours")
