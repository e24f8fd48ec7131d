"""A client that was away gets exactly what has changed, or the newest page."""

import pytest
from asgiref.sync import sync_to_async

from chat import limits
from chat.models import Epoch, Room
from chat.services import messages, rooms
from tests.chat_client import Refused


@pytest.fixture
async def away(connect, room, alice, bob):
    """What bob's client knew of the room harbour when it disconnected: three messages of alice."""
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        for body in ("one", "two", "three"):
            await hers.post("harbour", body)
        await his.wait_for_message("harbour", "three")
        return his.rooms


async def head():
    return (await Room.objects.aget(slug="harbour")).head


async def test_a_resume_without_changes_has_no_events(connect, away, bob):
    async with connect(bob) as his:
        his.rooms = away
        joined = await his.join("harbour", resume=True)
        assert (joined["recovered"], joined["events"], joined["head"]) == (True, [], await head())


async def test_a_resume_has_all_kinds_of_changes_in_order(connect, away, alice, bob, mallory):
    async with connect(alice, "harbour") as hers:
        one, two, _ = hers.rooms["harbour"].visible
        four = (await hers.post("harbour", "four"))["message"]
        edited = (await hers.request("edit", message=one["id"], body="ONE", rev=one["rev"]))["message"]
        deleted = (await hers.request("delete", message=two["id"]))["message"]
        await sync_to_async(rooms.join_room)(slug="harbour", user=mallory)
        await sync_to_async(rooms.update_room)(slug="harbour", user=alice, topic="tides")
        await hers.wait_until(lambda client: client.rooms["harbour"].last == deleted["rev"] + 2)
        async with connect(bob) as his:
            his.rooms, since = away, away["harbour"].last
            joined = await his.join("harbour", resume=True)
            received = joined["events"]
            assert joined["recovered"]
            assert [event["seq"] for event in received] == list(range(since + 1, joined["head"] + 1))
            assert [event["message"] for event in received[:3]] == [four, edited, deleted]
            assert received[3]["member"]["user"]["name"] == "mallory"
            assert received[4]["info"]["topic"] == "tides"
            assert his.rooms["harbour"].visible == hers.rooms["harbour"].visible
            assert his.rooms["harbour"].snapshots == 1


async def test_a_message_that_changed_twice_has_one_event(connect, away, alice, bob):
    async with connect(alice, "harbour") as hers:
        one = hers.rooms["harbour"].visible[0]
        one = (await hers.request("edit", message=one["id"], body="uno", rev=one["rev"]))["message"]
        one = (await hers.request("edit", message=one["id"], body="eins", rev=one["rev"]))["message"]
    async with connect(bob) as his:
        his.rooms = away
        joined = await his.join("harbour", resume=True)
        assert [event["message"] for event in joined["events"]] == [one]
        assert joined["head"] == one["rev"]


@pytest.mark.parametrize(("changes", "recovered"), [(limits.RESUME, True), (limits.RESUME + 1, False)])
async def test_up_to_300_changes_are_resumed_and_more_give_the_newest_page(
    connect, away, alice, bob, changes, recovered
):
    @sync_to_async
    def edit_often():
        message = messages.Message.objects.get(body="one")
        for number in range(changes):
            message = messages.edit_message(message=message.pk, author=alice, body=f"v{number}", rev=message.rev)

    await edit_often()
    async with connect(bob) as his:
        his.rooms = away
        joined = await his.join("harbour", resume=True, limit=2)
        assert joined["recovered"] is recovered
        assert len(joined["events"]) == (1 if recovered else 2)
        assert joined["more"] is not recovered
        assert [m["body"] for m in his.rooms["harbour"].visible][-2:] == ["two", "three"]


async def test_a_client_of_another_epoch_gets_the_newest_page(connect, away, bob):
    await Epoch.objects.aupdate(value="00000000-0000-4000-8000-000000000000")
    async with connect(bob) as his:
        his.rooms = away
        joined = await his.join("harbour", resume=True)  # by which the process itself learns of the new epoch
        assert not joined["recovered"]
        assert joined["epoch"] == "00000000-0000-4000-8000-000000000000"
        assert len(joined["events"]) == 3


async def test_a_client_ahead_of_the_room_gets_the_newest_page(connect, away, bob):
    async with connect(bob) as his:
        his.rooms = away
        away["harbour"].last += 1
        joined = await his.join("harbour", resume=True)
        assert (joined["recovered"], joined["head"]) == (False, await head())


@pytest.mark.parametrize(("floor", "recovered", "received"), [(-2, True, ["two", "three"]), (-1, False, ["three"])])
async def test_a_client_below_the_floor_gets_the_newest_page(connect, away, bob, floor, recovered, received):
    await Room.objects.aupdate(floor=await head() + floor)
    async with connect(bob) as his:
        his.rooms = away
        away["harbour"].last -= 2
        joined = await his.join("harbour", resume=True)
        assert (joined["recovered"], joined["floor"]) == (recovered, await head() + floor)
        assert [event["message"]["body"] for event in joined["events"]] == received


async def test_a_member_who_was_removed_meanwhile_cannot_resume(connect, secret, alice, bob):
    async with connect(bob, secret.slug) as his:
        known = his.rooms
    await sync_to_async(rooms.leave_room)(slug=secret.slug, user=bob)
    async with connect(bob) as his:
        his.rooms = known
        with pytest.raises(Refused) as refused:
            await his.join(secret.slug, resume=True)
        assert refused.value.code == "not_found"


async def test_joining_again_on_the_same_socket_returns_missed_changes(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        for body in ("one", "two"):
            await hers.post("harbour", body)
        await his.wait_for_message("harbour", "two")
        his.rooms["harbour"].last -= 1
        joined = await his.join("harbour", resume=True)
        assert [event["message"]["body"] for event in joined["events"]] == ["two"]
        await hers.post("harbour", "three")
        await his.wait_for_message("harbour", "three")
        assert his.rooms["harbour"].seqs[-1] == await head()
