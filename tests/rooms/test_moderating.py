"""Removing, banning and roles, as the members of a room and the user concerned see them."""

import pytest
from asgiref.sync import sync_to_async

from chat.models import Membership, Room
from chat.services import members, rooms
from chat.services.errors import ChatError, MemberNotFound, RoomNotFound
from tests.chat_client import Refused

remove = sync_to_async(members.remove_member)
set_role = sync_to_async(members.set_role)
leave = sync_to_async(rooms.leave_room)
enter = sync_to_async(rooms.join_room)


def membership(room: Room, user) -> tuple[str, str]:
    return Membership.objects.values_list("role", "state").get(room=room, user=user)


async def seen(client) -> dict:
    return (await client.wait_for_frame("events"))["events"][0]["member"]


@pytest.mark.parametrize(("ban", "state"), [(False, "kicked"), (True, "banned")])
async def test_a_removed_member_learns_why_and_gets_no_more_events(connect, room, alice, bob, ban, state):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his, connect(bob, "harbour") as also_his:
        await remove(slug="harbour", by=alice, user=bob.pk, ban=ban)
        for other in (hers, his, also_his):
            assert (await seen(other))["state"] == state
        for own in (his, also_his):
            assert (await own.wait_for_frame("left"))["room"] == "harbour"
        await hers.post("harbour", "gone?")
        await hers.wait_for_message("harbour", "gone?")
        assert "gone?" not in [post["body"] for post in his.rooms["harbour"].posts]
        if ban:
            with pytest.raises(Refused, match="not_found"):
                await his.join("harbour")
        else:
            assert (await his.join("harbour"))["role"] == "member"


async def test_a_banned_user_cannot_join_in_any_way_until_unbanned(secret, alice, bob):
    await remove(slug=secret.slug, by=alice, user=bob.pk, ban=True)
    with pytest.raises(ChatError, match="banned"):
        await sync_to_async(members.add_member)(slug=secret.slug, by=alice, user=bob)
    await sync_to_async(members.unban_member)(slug=secret.slug, by=alice, user=bob.pk)
    with pytest.raises(RoomNotFound):  # not banned is not yet invited
        await enter(slug=secret.slug, user=bob)
    await sync_to_async(members.add_member)(slug=secret.slug, by=alice, user=bob)
    assert await sync_to_async(membership)(secret, bob) == ("member", "joined")


async def test_a_former_member_can_be_banned_and_another_user_cannot(room, alice, bob, mallory):
    await leave(slug="harbour", user=bob)
    await remove(slug="harbour", by=alice, user=bob.pk, ban=True)
    with pytest.raises(RoomNotFound):
        await enter(slug="harbour", user=bob)
    for ban in (False, True):
        with pytest.raises(MemberNotFound):
            await remove(slug="harbour", by=alice, user=mallory.pk, ban=ban)


async def test_a_role_is_published_and_ends_with_the_membership(connect, room, alice, bob):
    async with connect(bob, "harbour") as his:
        await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
        assert (await seen(his))["role"] == "moderator"
        assert (await his.join("harbour"))["role"] == "moderator"
    await leave(slug="harbour", user=bob)
    await enter(slug="harbour", user=bob)
    assert await sync_to_async(membership)(room, bob) == ("member", "joined")


async def test_a_room_has_one_owner_after_a_transfer(room, alice, bob):
    await set_role(slug="harbour", by=alice, user=bob.pk, role="owner")
    assert await sync_to_async(membership)(room, bob) == ("owner", "joined")
    assert await sync_to_async(membership)(room, alice) == ("moderator", "joined")
    with pytest.raises(RoomNotFound):
        await set_role(slug="harbour", by=alice, user=bob.pk, role="member")


async def test_the_next_owner_is_a_moderator_or_else_the_oldest_member(room, alice, bob, mallory):
    await enter(slug="harbour", user=mallory)
    await set_role(slug="harbour", by=alice, user=mallory.pk, role="moderator")
    await leave(slug="harbour", user=alice)
    assert await sync_to_async(membership)(room, mallory) == ("owner", "joined")
    await leave(slug="harbour", user=mallory)
    assert await sync_to_async(membership)(room, bob) == ("owner", "joined")
    await leave(slug="harbour", user=bob)
    await enter(slug="harbour", user=mallory)  # an open room without anybody is whose who comes
    assert await sync_to_async(membership)(room, mallory) == ("owner", "joined")


async def test_every_change_of_a_membership_is_one_change_of_the_room(room, alice, bob):
    before = (await Room.objects.aget(pk=room.pk)).head
    await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
    await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
    await remove(slug="harbour", by=alice, user=bob.pk)
    assert (await Room.objects.aget(pk=room.pk)).head == before + 2


async def test_a_direct_room_has_no_moderators(alice, bob):
    made = await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)
    with pytest.raises(RoomNotFound):
        await remove(slug=made.slug, by=alice, user=bob.pk)


async def test_members_are_listed_a_page_at_a_time(secret, alice, bob, monkeypatch):
    listed = sync_to_async(members.list_members)
    monkeypatch.setattr(members, "PAGE_SIZE", 1)
    first = await listed(slug=secret.slug, user=bob)
    assert ([(one.user.name, one.role) for one in first.members], first.more) == ([("Alice Lind", "owner")], True)
    rest = await listed(slug=secret.slug, user=bob, after=first.members[-1].user.id)
    assert ([one.user.name for one in rest.members], rest.more) == (["bob"], False)
