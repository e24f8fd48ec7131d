"""Simultaneous requests share queries, and a refused one does not affect the others."""

import asyncio
from contextlib import AsyncExitStack

from asgiref.sync import sync_to_async
from django.db import connection

from chat.models import Epoch
from chat.services import rooms
from chat.services.errors import RoomNotFound
from chat.services.history import SnapshotRequest, load_snapshots
from chat.ws import application
from tests import asgi_transport


async def test_many_who_join_at_once_all_see_the_room(connect, room, alice, bob):
    async with connect(alice) as hers, connect(alice) as phone, connect(bob) as his, connect(bob, "quay") as other:
        clients = [hers, phone, his, other]
        joined = await asyncio.gather(*(one.join("harbour") for one in clients))
        assert {frame["head"] for frame in joined} == {2}
        await hers.post("harbour", "all here?")
        for one in clients:
            await one.wait_for_message("harbour", "all here?")


async def test_sessions_of_simultaneous_connections_are_looked_up_together(alice, bob, monkeypatch):
    asked = []
    look_up = application.get_session_users

    def noted(sessions):
        asked.append(len(sessions))
        return look_up(sessions)

    monkeypatch.setattr(application, "get_session_users", noted)
    monkeypatch.setattr(application, "LOOKUP_BATCH_WINDOW_SECONDS", 0.5)
    visits = [await asgi_transport.new_client(user) for user in (alice, bob)]
    async with AsyncExitStack() as clients:
        await asyncio.gather(*(clients.enter_async_context(visit) for visit in visits))
        assert asked == [2]


async def test_each_request_gets_its_own_snapshot(room, secret, alice, bob, mallory):
    @sync_to_async
    def load():
        Epoch.objects.get_or_create(pk=1)
        return load_snapshots(
            [
                SnapshotRequest("harbour", alice, None, 10),
                SnapshotRequest("harbour", mallory, None, 10),
                SnapshotRequest(secret.slug, bob, None, 10),
                SnapshotRequest(secret.slug, mallory, None, 10),
                SnapshotRequest("~AAAAAAAAAAAAAAAA", alice, None, 10),
                SnapshotRequest("harbour", bob, ("another epoch", 1), 0),
            ]
        )

    hers, stranger, his, refused, absent, afresh = await load()
    assert (hers.info.slug, hers.head, his.info.slug, afresh.recovered) == ("harbour", 2, secret.slug, False)
    assert [type(one) for one in (stranger, refused, absent)] == [RoomNotFound] * 3
    assert str(stranger) == str(refused) == str(absent)


async def test_a_room_that_empties_during_a_snapshot_has_no_members(alice):
    @sync_to_async
    def load():
        rooms.join_room(slug="quay", user=alice)
        left = []

        def leave_before_the_count(execute, sql, params, many, context):
            if 'COUNT("chat_membership"."id")' in sql and not left:
                left.append(1)
                rooms.leave_room(slug="quay", user=alice)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(leave_before_the_count):
            found = load_snapshots([SnapshotRequest("quay", alice, None, 10)])
        assert left
        return found

    (snapshot,) = await load()
    assert (snapshot.head, snapshot.members) == (1, 0)
