"""Removing, banning, roles: as everybody in the room sees it, and whoever it happens to."""

import pytest
from asgiref.sync import sync_to_async

from chat.models import Membership, Room
from chat.services import members, rooms
from chat.services.errors import ChatError, MemberNotFound, RoomNotFound
from tests.tab import Refused

put_out = sync_to_async(members.remove_member)
set_role = sync_to_async(members.set_role)
leave = sync_to_async(rooms.leave_room)
enter = sync_to_async(rooms.join_room)


def standing(room: Room, user) -> tuple[str, str]:
    return Membership.objects.values_list("role", "state").get(room=room, user=user)


async def seen(tab) -> dict:
    return (await tab.frame("events"))["events"][0]["member"]


@pytest.mark.parametrize(("ban", "state"), [(False, "kicked"), (True, "banned")])
async def test_whoever_is_put_out_learns_why_and_hears_nothing_more(tab, room, alice, bob, ban, state):
    async with tab(alice, "harbour") as hers, tab(bob, "harbour") as his, tab(bob, "harbour") as also_his:
        await put_out(slug="harbour", by=alice, user=bob.pk, ban=ban)
        for other in (hers, his, also_his):
            assert (await seen(other))["state"] == state
        for own in (his, also_his):
            assert (await own.frame("left"))["room"] == "harbour"
        await hers.post("harbour", "gone?")
        await hers.hears("harbour", "gone?")
        assert "gone?" not in [post["body"] for post in his.rooms["harbour"].posts]
        if ban:
            with pytest.raises(Refused, match="not_found"):
                await his.join("harbour")
        else:
            assert (await his.join("harbour"))["role"] == "member"


async def test_a_ban_holds_on_every_way_in_until_it_is_lifted(secret, alice, bob):
    await put_out(slug=secret.slug, by=alice, user=bob.pk, ban=True)
    with pytest.raises(ChatError, match="banned"):
        await sync_to_async(members.add_member)(slug=secret.slug, by=alice, user=bob)
    await sync_to_async(members.unban_member)(slug=secret.slug, by=alice, user=bob.pk)
    with pytest.raises(RoomNotFound):  # not banned is not yet invited
        await enter(slug=secret.slug, user=bob)
    await sync_to_async(members.add_member)(slug=secret.slug, by=alice, user=bob)
    assert await sync_to_async(standing)(secret, bob) == ("member", "joined")


async def test_somebody_who_has_left_can_be_banned_and_somebody_unknown_cannot(room, alice, bob, mallory):
    await leave(slug="harbour", user=bob)
    await put_out(slug="harbour", by=alice, user=bob.pk, ban=True)
    with pytest.raises(RoomNotFound):
        await enter(slug="harbour", user=bob)
    for ban in (False, True):
        with pytest.raises(MemberNotFound):
            await put_out(slug="harbour", by=alice, user=mallory.pk, ban=ban)


async def test_a_role_is_seen_at_once_and_ends_with_the_membership(tab, room, alice, bob):
    async with tab(bob, "harbour") as his:
        await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
        assert (await seen(his))["role"] == "moderator"
        assert (await his.join("harbour"))["role"] == "moderator"
    await leave(slug="harbour", user=bob)
    await enter(slug="harbour", user=bob)
    assert await sync_to_async(standing)(room, bob) == ("member", "joined")


async def test_a_room_that_is_handed_over_has_one_owner(room, alice, bob):
    await set_role(slug="harbour", by=alice, user=bob.pk, role="owner")
    assert await sync_to_async(standing)(room, bob) == ("owner", "joined")
    assert await sync_to_async(standing)(room, alice) == ("moderator", "joined")
    with pytest.raises(RoomNotFound):
        await set_role(slug="harbour", by=alice, user=bob.pk, role="member")


async def test_where_the_owner_goes_a_moderator_follows_and_else_who_came_first(room, alice, bob, mallory):
    await enter(slug="harbour", user=mallory)
    await set_role(slug="harbour", by=alice, user=mallory.pk, role="moderator")
    await leave(slug="harbour", user=alice)
    assert await sync_to_async(standing)(room, mallory) == ("owner", "joined")
    await leave(slug="harbour", user=mallory)
    assert await sync_to_async(standing)(room, bob) == ("owner", "joined")
    await leave(slug="harbour", user=bob)
    await enter(slug="harbour", user=mallory)  # an open room without anybody is whose who comes
    assert await sync_to_async(standing)(room, mallory) == ("owner", "joined")


async def test_every_change_of_standing_is_one_change_of_the_room(room, alice, bob):
    before = (await Room.objects.aget(pk=room.pk)).head
    await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
    await set_role(slug="harbour", by=alice, user=bob.pk, role="moderator")
    await put_out(slug="harbour", by=alice, user=bob.pk)
    assert (await Room.objects.aget(pk=room.pk)).head == before + 2


async def test_a_conversation_of_two_has_no_moderators(alice, bob):
    made = await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)
    with pytest.raises(RoomNotFound):
        await put_out(slug=made.slug, by=alice, user=bob.pk)


async def test_members_are_listed_a_page_at_a_time(secret, alice, bob, monkeypatch):
    listed = sync_to_async(members.list_members)
    monkeypatch.setattr(members, "PAGE_SIZE", 1)
    first = await listed(slug=secret.slug, user=bob)
    assert ([(one.user.name, one.role) for one in first.members], first.more) == ([("Alice Lind", "owner")], True)
    rest = await listed(slug=secret.slug, user=bob, after=first.members[-1].user.id)
    assert ([one.user.name for one in rest.members], rest.more) == (["bob"], False)
