"""A command that is sent again is not executed again."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connection

from chat.models import Message, Room
from chat.services import rooms
from tests.chat_client import Refused


async def head(slug="harbour"):
    return (await Room.objects.aget(slug=slug)).head


async def test_the_same_cid_again_is_the_same_message(connect, room, alice, bob):
    cid = str(uuid4())
    async with connect(bob, "harbour") as his:
        async with connect(alice, "harbour") as hers:
            first = await hers.post("harbour", "Once", cid)
        before = await head()
        async with connect(alice) as hers:  # another socket, not even joined
            again = await hers.post("harbour", "Once", cid)
            other_words = await hers.post("harbour", "Twice?", cid.upper())
        assert (first.pop("dup"), again.pop("dup"), other_words.pop("dup")) == (False, True, True)
        assert first["message"] == again["message"] == other_words["message"]
        assert (await Message.objects.acount(), await head()) == (1, before)
        await his.wait_for_message("harbour", "Once")
        assert his.rooms["harbour"].seqs == [before]


async def test_a_cid_used_in_another_room_is_a_conflict(connect, room, alice):
    cid = str(uuid4())
    async with connect(alice, "harbour", "quay") as hers:
        await hers.post("harbour", "here", cid)
        with pytest.raises(Refused) as refused:
            await hers.post("quay", "here", cid)
        assert refused.value.code == "conflict"
    assert await head("quay") == 1


async def test_the_same_cid_of_another_author_is_another_message(connect, room, alice, bob):
    cid = str(uuid4())
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        mine, yours = await hers.post("harbour", "a", cid), await his.post("harbour", "b", cid)
        assert (mine["dup"], yours["dup"]) == (False, False)
        assert mine["message"]["id"] != yours["message"]["id"]


async def test_a_repeated_post_returns_the_message_as_it_is_now(connect, room, alice):
    cid = str(uuid4())
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "Helo", cid))["message"]
        edited = (await hers.request("edit", message=sent["id"], body="Hello", rev=sent["rev"]))["message"]
        assert (await hers.post("harbour", "Helo", cid))["message"] == edited
        deleted = (await hers.request("delete", message=sent["id"]))["message"]
        assert (await hers.post("harbour", "Helo", cid))["message"] == deleted
    assert deleted["body"] == ""


async def test_the_database_itself_refuses_a_second_row(room, alice):
    message = Message(room=room, author=alice, seq=90, rev=90, cid=uuid4(), body="x", created_at=room.created_at)
    await message.asave()
    for taken in ({"cid": message.cid, "seq": 91, "rev": 91}, {"cid": uuid4(), "seq": 90, "rev": 92}):
        with pytest.raises(IntegrityError):
            await Message.objects.acreate(
                room=room, author=alice, body="x", created_at=room.created_at, **{"rev": 93, **taken}
            )


async def test_an_edit_from_a_stale_rev_is_a_conflict_and_changes_nothing(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "one"))["message"]
        edited = (await hers.request("edit", message=sent["id"], body="two", rev=sent["rev"]))["message"]
        before = await head()
        for rev in (sent["rev"], edited["rev"] + 1, 0):
            with pytest.raises(Refused) as refused:
                await hers.request("edit", message=sent["id"], body="three", rev=rev)
            assert refused.value.code == "conflict"
        assert await head() == before
        assert (await Message.objects.aget()).body == "two"


async def test_the_same_edit_again_is_answered_and_not_stored_twice(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "one"))["message"]
        edited = await hers.request("edit", message=sent["id"], body="two", rev=sent["rev"])
        before = await head()
        again = await hers.request("edit", message=sent["id"], body=" two ", rev=sent["rev"])
        assert (again["message"], await head()) == (edited["message"], before)


async def test_the_same_deletion_again_is_answered_and_not_stored_twice(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "one"))["message"]
        deleted = await hers.request("delete", message=sent["id"])
        before = await head()
        again = await hers.request("delete", message=sent["id"])
        assert (again["message"], await head()) == (deleted["message"], before)


async def test_a_deleted_message_cannot_be_edited(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "one"))["message"]
        deleted = (await hers.request("delete", message=sent["id"]))["message"]
        for rev in (sent["rev"], deleted["rev"]):
            with pytest.raises(Refused) as refused:
                await hers.request("edit", message=sent["id"], body="back", rev=rev)
            assert refused.value.code == "not_found"


async def test_the_body_of_a_deleted_message_is_not_in_the_database(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        sent = (await hers.post("harbour", "xyzzy-secret"))["message"]
        await hers.request("delete", message=sent["id"])

    @sync_to_async
    def everything():
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM chat_message")
            return str(cursor.fetchall())

    assert "xyzzy-secret" not in await everything()
    with pytest.raises(IntegrityError):
        await Message.objects.filter(pk=sent["id"]).aupdate(body="xyzzy-secret")


async def test_joining_a_room_twice_is_one_change(room, bob):
    before = await head()
    await sync_to_async(rooms.join_room)(slug="harbour", user=bob)
    assert await head() == before
