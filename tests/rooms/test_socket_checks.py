"""An open socket is checked: whether its client answers, missed events, and is still signed in."""

import gc
import json

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from channels_realtime.process import PING_INTERVAL_SECONDS
from chat.ws import application
from tests import asgi_transport


async def session_of(user):
    async for session in Session.objects.all():
        if session.get_decoded()["_auth_user_id"] == str(user.pk):
            return session
    return None


async def test_pings_have_the_head_of_each_joined_room(connect, room, alice, short_intervals):
    async with connect(alice, "harbour", "quay") as hers:
        last = (await hers.post("harbour", "a"))["message"]["seq"]
        await hers.wait_for_message("harbour", "a")
        seen = len(hers.frames)
        ping = await hers.wait_until(
            lambda client: next((f for f in client.frames[seen:] if f["type"] == "ping"), None)
        )
        assert ping["heads"] == {"harbour": last, "quay": 1}


async def test_a_client_that_answers_pings_stays(connect, room, alice, short_intervals):
    async with connect(alice, "harbour") as hers:
        await hers.wait_until(lambda client: any(f["type"] == "ping" and f["n"] == 4 for f in client.frames))
        await hers.post("harbour", "still here")


@pytest.fixture
def silent(connect):
    """A client that reads, and answers pings only when the test does."""

    async def opened(user, pong=None):
        visit = await asgi_transport.new_client(user)
        send = visit.transport.send

        async def mute(text):
            if json.loads(text)["type"] != "pong":
                await send(text)
            elif pong is not None:
                await send(json.dumps({"type": "pong", "n": pong}))

        visit.transport.send = mute
        await visit.__aenter__()
        return visit

    return opened


@pytest.mark.parametrize(("pong", "pings"), [(None, 2), (0, 2), (1, 3)])
async def test_two_pings_without_an_answer_end_the_socket_with_4508(silent, alice, short_intervals, pong, pings):
    visit = await silent(alice, pong)
    assert await visit.wait_closed() == 4508
    assert [frame["n"] for frame in visit.frames if frame["type"] == "ping"] == list(range(1, pings + 1))
    bye = visit.frames[-1]
    assert (bye["type"], bye["code"], bye["reconnect_in"]) == ("bye", 4508, 1)
    await visit.__aexit__(None, None, None)


async def test_pongs_for_future_pings_do_not_count(silent, alice, short_intervals):
    visit = await silent(alice)
    await visit.transport.communicator.send_input({"type": "websocket.receive", "text": '{"type":"pong","n":999}'})
    assert await visit.wait_closed() == 4508
    await visit.__aexit__(None, None, None)


async def test_signing_out_ends_the_socket_at_the_next_check(connect, room, alice, bob, short_intervals):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        await (await session_of(alice)).adelete()
        assert await hers.wait_closed() == 4401
        assert hers.frames[-1] == {"type": "bye", "code": 4401, "reason": "You are signed out.", "reconnect_in": None}
        await his.post("harbour", "bye")
        await his.wait_for_message("harbour", "bye")


async def test_a_new_password_ends_the_sockets_of_old_sessions(connect, alice, short_intervals):
    async with connect(alice) as hers:
        await sync_to_async(alice.set_password)("another battery staple")
        await alice.asave()
        assert await hers.wait_closed() == 4401


async def test_deactivating_a_user_closes_their_sockets(connect, alice, short_intervals):
    async with connect(alice) as hers:
        alice.is_active = False
        await alice.asave()
        assert await hers.wait_closed() == 4401


async def test_a_session_of_another_user_closes_the_socket(connect, alice, bob, short_intervals):
    async with connect(alice) as hers, connect(bob):
        mine, yours = await session_of(alice), await session_of(bob)
        mine.session_data = yours.session_data
        await mine.asave()
        assert await hers.wait_closed() == 4401


async def test_nobody_is_signed_out_while_the_database_is_away(connect, alice, short_intervals, monkeypatch, caplog):
    async with connect(alice) as hers:
        asked = []

        def away(keys):
            asked.append(keys)
            raise DatabaseError("away")

        monkeypatch.setattr(application, "get_session_users", away)
        await hers.wait_until(lambda _: len(asked) >= 3)
        monkeypatch.undo()
        await hers.join("harbour")
        gc.collect()  # a task that failed unheard would say so now
        assert caplog.messages == []


def test_pings_come_more_often_than_load_balancers_cut_idle_connections():
    assert PING_INTERVAL_SECONDS < 60
