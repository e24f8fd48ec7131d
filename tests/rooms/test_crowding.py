"""The limits for one user: commands, sockets and rooms."""

from contextlib import AsyncExitStack

import pytest

from channels_realtime.rate_limit import TokenBucket
from chat import limits
from tests.chat_client import Closed, Refused


@pytest.fixture
def slow(settings):
    """Three commands at once, then one in 100 seconds; hello is one of the three."""
    settings.SOCKET_RATE, settings.SOCKET_BURST = 0.01, 3


async def test_commands_above_the_rate_are_refused_and_say_when_to_try_again(connect, room, alice, slow):
    async with connect(alice) as hers:
        await hers.join("harbour")
        await hers.post("harbour", "a")
        with pytest.raises(Refused) as refused:
            await hers.post("harbour", "b")
        assert refused.value.code == "rate_limited"
        assert 90 < refused.value.frame["retry_after"] <= 100
        await hers.wait_for_message("harbour", "a")


async def test_waiting_for_retry_after_is_long_enough(connect, room, alice, monkeypatch):
    async with connect(alice) as hers:
        monkeypatch.setattr(TokenBucket, "take", lambda _: 0.1201)  # seconds
        with pytest.raises(Refused) as refused:
            await hers.join("harbour")
        assert refused.value.frame["retry_after"] == 0.13


async def test_each_socket_has_its_own_rate(connect, room, alice, bob, slow):
    async with connect(alice, "harbour", "harbour") as hers, connect(bob, "harbour") as his:
        with pytest.raises(Refused):
            await hers.join("harbour")
        await his.post("harbour", "mine")


async def test_pongs_do_not_count(connect, alice, slow):
    async with connect(alice) as hers:
        for _ in range(20):
            await hers.transport.send('{"type": "pong", "n": 1}')
        await hers.join("harbour")


async def test_a_socket_that_ignores_the_rate_is_closed_with_4529(connect, room, alice, slow):
    async with connect(alice, "harbour", "harbour") as hers:
        for _ in range(10 * 3 + 1):
            await hers.send_command("typing", room="harbour", on=True)
        assert await hers.wait_closed() == 4529
        assert [frame["type"] for frame in hers.frames].count("error") == 31
        assert (hers.frames[-1]["code"], hers.frames[-1]["reconnect_in"]) == (4529, 5)


async def test_the_eleventh_socket_of_a_user_is_closed_with_4409(connect, alice, bob):
    async with AsyncExitStack() as sockets:
        for _ in range(limits.SOCKETS_PER_USER):
            last = await sockets.enter_async_context(connect(alice))
        with pytest.raises(Closed, match="4409"):
            await sockets.enter_async_context(connect(alice))
        async with connect(bob) as his:  # counted for each user apart
            await his.join("harbour")
        await last.transport.close()
        async with connect(alice) as again:
            await again.join("harbour")


async def test_refused_sockets_do_not_count(connect, alice, monkeypatch):
    monkeypatch.setattr(limits, "SOCKETS_PER_USER", 1)
    for _ in range(3):
        async with connect(alice) as hers:
            with pytest.raises(Closed, match="4409"):
                async with connect(alice):
                    pass
            await hers.join("harbour")


async def test_one_room_too_many_is_refused_and_not_joined(connect, alice, monkeypatch):
    monkeypatch.setattr(limits, "ROOMS_PER_SOCKET", 2)
    async with connect(alice, "one", "two") as hers:
        with pytest.raises(Refused, match="at most 2 rooms"):
            await hers.join("three")
        async with connect(alice) as other:
            assert (await other.join("three"))["head"] == 1
        await hers.request("leave", room="one")
        await hers.wait_for_frame("left")
        await hers.join("three")


async def test_at_the_limit_of_rooms_a_joined_room_can_be_resumed(connect, alice, bob, monkeypatch):
    monkeypatch.setattr(limits, "ROOMS_PER_SOCKET", 1)
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        await his.post("harbour", "a")
        await hers.wait_for_message("harbour", "a")
        assert (await hers.join("harbour", resume=True))["recovered"]
        await his.post("harbour", "b")
        await hers.wait_for_message("harbour", "b")
