"""Leaving a room and joining it again."""

import pytest
from asgiref.sync import sync_to_async

from chat.models import Membership
from chat.services import rooms
from tests.chat_client import Refused


async def test_a_former_member_cannot_read_or_write(connect, room, alice, bob):
    async with connect(bob, "harbour") as his:
        message = (await his.post("harbour", "mine"))["message"]
        await his.request("leave", room="harbour")
        for command in (
            {"type": "history", "room": "harbour"},
            {"type": "read", "room": "harbour", "seq": 1},
            {"type": "typing", "room": "harbour", "on": True},
            {"type": "edit", "message": message["id"], "body": "x", "rev": message["rev"]},
            {"type": "delete", "message": message["id"]},
            {"type": "leave", "room": "harbour"},
        ):
            with pytest.raises(Refused) as refused:
                await his.request(**command)
            assert refused.value.code == "not_found", command
        with pytest.raises(Refused):
            await his.post("harbour", "more")


async def test_others_see_the_leave_and_the_messages_stay(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        await his.post("harbour", "I was here")
        await his.request("leave", room="harbour")
        event = await hers.wait_until(
            lambda client: next(
                (e for f in client.frames if f["type"] == "events" for e in f["events"] if e["kind"] == "member"), None
            )
        )
        assert event["member"] == {"user": his.welcome["user"], "role": "member", "state": "left"}
        joined = await hers.join("harbour")
        assert [e["message"]["body"] for e in joined["events"]] == ["I was here"]
        assert joined["members"] == 1


async def test_joining_again_resumes_with_the_missed_messages(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        await his.request("leave", room="harbour")
        await his.wait_for_frame("left")
        await hers.post("harbour", "meanwhile")
        joined = await his.join("harbour", resume=True)
        assert joined["recovered"]
        assert [event["kind"] for event in joined["events"]] == ["message", "member"]
        assert joined["events"][1]["member"]["state"] == "joined"
        await hers.post("harbour", "welcome back")
        await his.wait_for_message("harbour", "welcome back")


async def test_leaving_and_joining_again_keeps_one_membership_and_its_read_marker(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        seq = (await hers.post("harbour", "read"))["message"]["seq"]
        await his.request("read", room="harbour", seq=seq)
        await his.request("leave", room="harbour")
        await hers.post("harbour", "unread")
        joined = await his.join("harbour")
        assert (joined["read"], joined["unread"]) == (seq, 1)
    assert await Membership.objects.filter(user=bob).acount() == 1


async def test_a_room_that_was_left_is_not_listed(room, bob):
    await sync_to_async(rooms.leave_room)(slug="harbour", user=bob)
    assert await sync_to_async(rooms.list_rooms)(bob) == []


async def test_joining_a_joined_room_changes_nothing(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob) as his:
        head = hers.rooms["harbour"].last
        assert (await his.join("harbour"))["head"] == head
        assert (await his.join("harbour"))["head"] == head


async def test_closing_the_last_tab_does_not_end_the_membership(connect, room, alice, bob):
    async with connect(bob, "harbour"):
        pass
    async with connect(alice, "harbour") as hers:
        assert (await hers.join("harbour"))["members"] == 2
