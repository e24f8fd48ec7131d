"""Every socket is pinged in time, and sockets that are due at nearly the same time are pinged together."""

import asyncio

import pytest

from channels_realtime.ping_scheduler import MAX_PING_BATCH, PING_BATCH_TOLERANCE, PingScheduler

INTERVAL = 25


class Socket:
    """Records when it was pinged."""

    def __init__(self):
        self.pings = []

    def send_ping(self):
        self.pings.append(asyncio.get_running_loop().time())


@pytest.fixture
async def scheduler():
    return PingScheduler(INTERVAL)


async def test_pings_are_evenly_spaced_and_the_first_comes_after_one_interval(scheduler):
    socket = Socket()
    scheduler.add(socket)
    await asyncio.sleep(3.5 * INTERVAL)
    assert socket.pings == [INTERVAL, 2 * INTERVAL, 3 * INTERVAL]


async def test_sockets_that_are_due_at_nearly_the_same_time_are_pinged_together(scheduler):
    near, far = PING_BATCH_TOLERANCE * INTERVAL * 0.9, PING_BATCH_TOLERANCE * INTERVAL * 1.1
    first, second, third = Socket(), Socket(), Socket()
    scheduler.add(first)
    await asyncio.sleep(near)
    scheduler.add(second)
    await asyncio.sleep(far - near)
    scheduler.add(third)
    await asyncio.sleep(2.5 * INTERVAL)
    assert second.pings == first.pings == [INTERVAL, 2 * INTERVAL]
    assert third.pings == [far + INTERVAL, far + 2 * INTERVAL]


async def test_no_ping_is_late_however_many_sockets_are_added_and_removed(scheduler):
    sockets = [Socket() for _ in range(60)]
    begun = {}
    for socket in sockets:
        scheduler.add(socket)
        begun[socket] = asyncio.get_running_loop().time()
        await asyncio.sleep(0.37)
    for socket in sockets[::2]:
        scheduler.remove(socket)
    ended = asyncio.get_running_loop().time()
    await asyncio.sleep(10 * INTERVAL)
    for socket in sockets[1::2]:
        gaps = [after - before for before, after in zip([begun[socket], *socket.pings], socket.pings, strict=False)]
        assert len(gaps) >= 10
        assert all(INTERVAL * (1 - PING_BATCH_TOLERANCE) - 1e-6 <= gap <= INTERVAL + 1e-6 for gap in gaps)
    assert all(ping <= ended for socket in sockets[::2] for ping in socket.pings)


async def test_many_sockets_are_pinged_in_several_turns_of_the_loop(scheduler):
    sockets = [Socket() for _ in range(MAX_PING_BATCH + 1)]
    for socket in sockets:
        scheduler.add(socket)
    turns, most = 0, 0
    await asyncio.sleep(INTERVAL - 1)
    while turns < 100 and not all(socket.pings for socket in sockets):
        before = sum(len(socket.pings) for socket in sockets)
        await asyncio.sleep(0 if before else 0.1)
        most = max(most, sum(len(socket.pings) for socket in sockets) - before)
        turns += 1
    assert most == MAX_PING_BATCH
    assert all(socket.pings == [pytest.approx(INTERVAL)] for socket in sockets)


async def test_a_failing_socket_does_not_keep_others_from_being_pinged(scheduler):
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    broken, whole = Socket(), Socket()
    broken.send_ping = lambda: 1 / 0
    scheduler.add(broken)
    scheduler.add(whole)
    await asyncio.sleep(2.5 * INTERVAL)
    assert len(whole.pings) == 2
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


async def test_a_socket_can_be_added_after_the_last_one_was_removed(scheduler):
    first, second = Socket(), Socket()
    scheduler.add(first)
    scheduler.remove(first)
    scheduler.remove(first)  # removing it again does nothing
    await asyncio.sleep(3 * INTERVAL)
    scheduler.add(second)
    await asyncio.sleep(1.5 * INTERVAL)
    assert (first.pings, second.pings) == ([], [4 * INTERVAL])
