"""Every socket is pinged in time, and those whose time is near together."""

import asyncio

import pytest

from realtime.ping_scheduler import AT_ONCE, COMPANY, Pulse

EVERY = 25


class Socket:
    """Notes when it beat."""

    def __init__(self):
        self.beats = []

    def beat(self):
        self.beats.append(asyncio.get_running_loop().time())


@pytest.fixture
async def pulse():
    return Pulse(EVERY)


async def test_beats_are_evenly_spaced_and_the_first_is_not_at_once(pulse):
    socket = Socket()
    pulse.begin(socket)
    await asyncio.sleep(3.5 * EVERY)
    assert socket.beats == [EVERY, 2 * EVERY, 3 * EVERY]


async def test_whose_time_is_near_comes_along_and_stays_in_company(pulse):
    near, far = COMPANY * EVERY * 0.9, COMPANY * EVERY * 1.1
    first, second, third = Socket(), Socket(), Socket()
    pulse.begin(first)
    await asyncio.sleep(near)
    pulse.begin(second)
    await asyncio.sleep(far - near)
    pulse.begin(third)
    await asyncio.sleep(2.5 * EVERY)
    assert second.beats == first.beats == [EVERY, 2 * EVERY]
    assert third.beats == [far + EVERY, far + 2 * EVERY]


async def test_nobody_waits_longer_however_many_come_and_go(pulse):
    sockets = [Socket() for _ in range(60)]
    begun = {}
    for socket in sockets:
        pulse.begin(socket)
        begun[socket] = asyncio.get_running_loop().time()
        await asyncio.sleep(0.37)
    for socket in sockets[::2]:
        pulse.end(socket)
    ended = asyncio.get_running_loop().time()
    await asyncio.sleep(10 * EVERY)
    for socket in sockets[1::2]:
        gaps = [after - before for before, after in zip([begun[socket], *socket.beats], socket.beats, strict=False)]
        assert len(gaps) >= 10
        assert all(EVERY * (1 - COMPANY) - 1e-6 <= gap <= EVERY + 1e-6 for gap in gaps)
    assert all(beat <= ended for socket in sockets[::2] for beat in socket.beats)


async def test_a_crowd_that_came_at_once_does_not_beat_in_one_turn(pulse):
    sockets = [Socket() for _ in range(AT_ONCE + 1)]
    for socket in sockets:
        pulse.begin(socket)
    turns, most = 0, 0
    await asyncio.sleep(EVERY - 1)
    while turns < 100 and not all(socket.beats for socket in sockets):
        before = sum(len(socket.beats) for socket in sockets)
        await asyncio.sleep(0 if before else 0.1)
        most = max(most, sum(len(socket.beats) for socket in sockets) - before)
        turns += 1
    assert most == AT_ONCE
    assert all(socket.beats == [pytest.approx(EVERY)] for socket in sockets)


async def test_one_that_fails_stops_no_other(pulse):
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    broken, whole = Socket(), Socket()
    broken.beat = lambda: 1 / 0
    pulse.begin(broken)
    pulse.begin(whole)
    await asyncio.sleep(2.5 * EVERY)
    assert len(whole.beats) == 2
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


async def test_the_last_one_may_go_and_another_come(pulse):
    first, second = Socket(), Socket()
    pulse.begin(first)
    pulse.end(first)
    pulse.end(first)  # who has gone goes again
    await asyncio.sleep(3 * EVERY)
    pulse.begin(second)
    await asyncio.sleep(1.5 * EVERY)
    assert (first.beats, second.beats) == ([], [4 * EVERY])
