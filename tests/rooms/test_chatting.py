"""What two members of a room see of each other."""


async def test_a_message_reaches_everyone_in_the_room(tab, room, alice, bob):
    async with tab(alice, "harbour") as hers, tab(bob, "harbour") as his:
        ok = await hers.post("harbour", "Hello")
        received = await his.hears("harbour", "Hello")
        assert received == ok["message"]
        assert received["author"] == {"id": alice.pk, "name": "Alice Lind", "guest": False}
        assert received == await hers.hears("harbour", "Hello")


async def test_a_new_room_can_be_used_at_once(tab, alice, bob):
    async with tab(alice) as hers, tab(bob) as his:
        await hers.join("brand-new")
        joined = await his.join("brand-new")
        assert joined["members"] == 2
        await his.post("brand-new", "First!")
        await hers.hears("brand-new", "First!")
        member = [e for f in hers.frames if f["type"] == "events" for e in f["events"] if e["kind"] == "member"]
        assert [m["member"]["user"]["name"] for m in member] == ["bob"]


async def test_an_edit_and_a_deletion_reach_everyone(tab, room, alice, bob):
    async with tab(alice, "harbour") as hers, tab(bob, "harbour") as his:
        message = (await hers.post("harbour", "Helo"))["message"]
        edited = (await hers.ask("edit", message=message["id"], body="Hello", rev=message["rev"]))["message"]
        assert (edited["seq"], edited["edited"]) == (message["seq"], True)
        assert (await his.hears("harbour", "Hello"))["id"] == message["id"]
        deleted = (await hers.ask("delete", message=message["id"]))["message"]
        await his.until(lambda tab: tab.rooms["harbour"].messages[message["id"]]["deleted"])
        assert deleted["body"] == "" == his.rooms["harbour"].messages[message["id"]]["body"]


async def test_typing_is_shown_and_not_stored(tab, room, alice, bob):
    async with tab(alice, "harbour") as hers, tab(bob, "harbour") as his:
        await hers.ask("typing", room="harbour", on=True)
        seen = await his.frame("ephemeral")
        assert (seen["user"]["name"], seen["on"], seen["room"]) == ("Alice Lind", True, "harbour")
        assert (await his.join("harbour"))["events"] == []


async def test_leaving_ends_the_stream_on_every_socket_of_the_user(tab, room, alice, bob):
    async with tab(alice, "harbour") as hers, tab(bob, "harbour") as his, tab(bob, "harbour") as his_phone:
        await his.ask("leave", room="harbour")
        await his_phone.frame("left")
        await hers.post("harbour", "Gone?")
        await hers.hears("harbour", "Gone?")
        for socket in (his, his_phone):
            assert not [m for m in socket.rooms["harbour"].posts if m["body"] == "Gone?"]
