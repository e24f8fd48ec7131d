"""What a user has not read yet, on all of their devices."""

import pytest
from asgiref.sync import sync_to_async

from chat.services import rooms
from tests.chat_client import Refused


async def marks(connect, user):
    """The marker and the count of unread messages, as a new client and the side bar show them."""
    async with connect(user) as fresh:
        joined = await fresh.join("harbour")
    listed = next(room for room in await sync_to_async(rooms.list_rooms)(user) if room.slug == "harbour")
    assert listed.unread == joined["unread"]
    return joined["read"], joined["unread"]


async def read(client, seq, room="harbour"):
    return (await client.request("read", room=room, seq=seq))["unread"]


async def test_messages_of_others_above_my_marker_are_unread(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        first, second, third = [(await hers.post("harbour", body))["message"]["seq"] for body in "abc"]
        await his.post("harbour", "mine is never unread to me")
        assert await marks(connect, bob) == (2, 3)
        assert await read(his, first) == 2
        assert await marks(connect, bob) == (first, 2)
        assert await read(his, third) == 0
        assert await marks(connect, bob) == (third, 0)
        assert (await marks(connect, alice))[1] == 1
        assert second == first + 1


async def test_the_marker_never_moves_back(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        first, _, third = [(await hers.post("harbour", body))["message"]["seq"] for body in "abc"]
        assert await read(his, third) == 0
        assert await read(his, first) == 0
        assert await read(his, 0) == 0
        assert await marks(connect, bob) == (third, 0)


async def test_the_marker_never_exceeds_the_newest_message(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        last = (await hers.post("harbour", "a"))["message"]["seq"]
        assert await read(his, 2**53 - 1) == 0
        assert await marks(connect, bob) == (last, 0)
        await hers.post("harbour", "b")
        assert await marks(connect, bob) == (last, 1)


async def test_deleted_messages_are_not_unread_and_edited_ones_are_not_unread_again(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        kept, gone = [(await hers.post("harbour", body))["message"] for body in "ab"]
        await hers.request("delete", message=gone["id"])
        assert (await marks(connect, bob))[1] == 1
        assert await read(his, kept["seq"]) == 0
        await hers.request("edit", message=kept["id"], body="A", rev=kept["rev"])
        assert await marks(connect, bob) == (kept["seq"], 0)


async def test_a_new_member_has_no_unread_messages(connect, room, alice, mallory):
    async with connect(alice, "harbour") as hers, connect(mallory) as theirs:
        await hers.post("harbour", "before")
        joined = await theirs.join("harbour")
        assert (joined["read"], joined["unread"]) == (joined["head"], 0)


async def test_a_read_marker_is_not_published_to_others(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        seq = (await hers.post("harbour", "a"))["message"]["seq"]
        await read(his, seq)
        await hers.post("harbour", "b")
        await hers.wait_for_message("harbour", "b")
        assert hers.rooms["harbour"].seqs[-2:] == [seq, seq + 1]


async def test_rooms_are_listed_by_their_newest_message(connect, room, alice):
    async with connect(alice, "quay") as hers:
        await hers.post("harbour", "old")
        await hers.post("quay", "new")
        assert [row.slug for row in await sync_to_async(rooms.list_rooms)(alice)] == ["quay", "harbour"]
        await hers.post("harbour", "newer")
        assert [row.slug for row in await sync_to_async(rooms.list_rooms)(alice)] == ["harbour", "quay"]


async def test_a_room_that_i_am_not_in_cannot_be_marked_as_read(connect, room, mallory):
    async with connect(mallory) as theirs:
        with pytest.raises(Refused) as refused:
            await read(theirs, 1)
        assert refused.value.code == "not_found"


async def test_my_other_tabs_get_my_read_marker_and_other_users_do_not(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his, connect(bob) as device:
        last = [(await hers.post("harbour", body))["message"]["seq"] for body in "ab"][-1]
        assert await read(his, last - 1) == 1
        for own in (his, device):
            marker = await own.wait_for_frame("ephemeral")
            assert marker == {"type": "ephemeral", "room": "harbour", "kind": "read", "seq": last - 1, "unread": 1}
        assert await read(his, last - 1) == 1  # it did not move: nobody is markers again
        assert await read(his, last) == 0
        markers = [frame["seq"] for frame in device.frames if frame.get("kind") == "read"]
        await device.wait_until(lambda client: client.frames[-1].get("seq") == last)
        assert markers in ([last - 1], [last - 1, last])
        assert not [frame for frame in hers.frames if frame.get("kind") == "read"]
