"""What two members of a room see of each other."""


async def test_a_message_reaches_everyone_in_the_room(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        ok = await hers.post("harbour", "Hello")
        received = await his.wait_for_message("harbour", "Hello")
        assert received == ok["message"]
        assert received["author"] == {"id": alice.pk, "name": "Alice Lind", "guest": False}
        assert received == await hers.wait_for_message("harbour", "Hello")


async def test_a_new_room_can_be_used_at_once(connect, alice, bob):
    async with connect(alice) as hers, connect(bob) as his:
        await hers.join("brand-new")
        joined = await his.join("brand-new")
        assert joined["members"] == 2
        await his.post("brand-new", "First!")
        await hers.wait_for_message("brand-new", "First!")
        member = [e for f in hers.frames if f["type"] == "events" for e in f["events"] if e["kind"] == "member"]
        assert [m["member"]["user"]["name"] for m in member] == ["bob"]


async def test_an_edit_and_a_deletion_reach_everyone(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        message = (await hers.post("harbour", "Helo"))["message"]
        edited = (await hers.request("edit", message=message["id"], body="Hello", rev=message["rev"]))["message"]
        assert (edited["seq"], edited["edited"]) == (message["seq"], True)
        assert (await his.wait_for_message("harbour", "Hello"))["id"] == message["id"]
        deleted = (await hers.request("delete", message=message["id"]))["message"]
        await his.wait_until(lambda client: client.rooms["harbour"].messages[message["id"]]["deleted"])
        assert deleted["body"] == "" == his.rooms["harbour"].messages[message["id"]]["body"]


async def test_typing_is_shown_and_not_stored(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        await hers.request("typing", room="harbour", on=True)
        seen = await his.wait_for_frame("ephemeral")
        assert (seen["user"]["name"], seen["on"], seen["room"]) == ("Alice Lind", True, "harbour")
        assert (await his.join("harbour"))["events"] == []


async def test_leaving_ends_the_stream_on_every_socket_of_the_user(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his, connect(bob, "harbour") as his_phone:
        await his.request("leave", room="harbour")
        await his_phone.wait_for_frame("left")
        await hers.post("harbour", "Gone?")
        await hers.wait_for_message("harbour", "Gone?")
        for socket in (his, his_phone):
            assert not [m for m in socket.rooms["harbour"].posts if m["body"] == "Gone?"]
