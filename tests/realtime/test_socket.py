"""The sending side of a socket: order, bounds, and a last word."""

import asyncio

import pytest

from realtime import socket as socket_module
from realtime.frames import Frame
from realtime.socket import DIRECT, AsgiSocket, Socket, sending_side
from tests.clock import quiet


class Wire:
    """An ASGI server's send; it takes nothing while `stuck`."""

    def __init__(self):
        self.sent = []
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, message):
        await self.free.wait()
        self.sent.append(message.get("text", message.get("code")))


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def overflows():
    return []


@pytest.fixture
def socket(wire, overflows):
    def overflow():
        overflows.append(1)
        made.close(4508, Frame("bye"), skip=True)

    made = sending_side({}, wire, overflow)
    assert isinstance(made, AsgiSocket)
    return made


async def test_frames_leave_in_order(socket, wire):
    for number in range(100):
        socket.write(Frame(str(number)))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await quiet()
    assert wire.sent == [str(number) for number in range(100)]


async def test_the_goodbye_is_the_last_word(socket, wire):
    socket.write(Frame("a"))
    socket.close(1012, Frame("bye"))
    socket.write(Frame("b"))
    socket.whisper(Frame("c"))
    socket.close(4400, Frame("bye again"))
    await quiet()
    assert wire.sent == ["a", "bye", 1012]
    assert socket.closed


async def test_closing_with_a_skip_forgets_what_waits_but_not_the_goodbye(socket, wire):
    wire.free.clear()
    socket.write(Frame("begun"))
    await quiet()
    for number in range(10):
        socket.write(Frame(str(number)))
    socket.close(4508, Frame("bye"), skip=True)
    wire.free.set()
    await quiet()
    assert wire.sent == ["begun", "bye", 4508]


async def test_a_reader_that_falls_too_far_behind_is_closed_once(socket, wire, overflows):
    wire.free.clear()
    frame = Frame("x" * 1000)
    written = 0
    while not overflows:
        socket.write(frame)
        written += len(frame.wire)
        assert written <= socket_module.FULL + 2 * len(frame.wire)
    for _ in range(10):
        socket.write(frame)
    assert (len(overflows), written > socket_module.FULL) == (1, True)
    wire.free.set()
    await quiet()
    assert wire.sent[-2:] == ["bye", 4508]
    assert len(wire.sent) <= 3


async def test_what_has_been_taken_makes_room_again(socket, wire, overflows):
    frame = Frame("x" * (socket_module.FULL // 2))
    for _ in range(20):
        socket.write(frame)
        await quiet()
    assert (len(wire.sent), overflows) == (20, [])


async def test_what_is_of_this_moment_is_dropped_when_half_of_that_waits(socket, wire, overflows):
    wire.free.clear()
    socket.write(Frame("begun"))
    await quiet()
    socket.write(Frame("x" * (socket_module.FULL // 2 - 100)))
    socket.whisper(Frame("typing"))
    socket.write(Frame("x" * 100))
    socket.whisper(Frame("too late"))
    socket.write(Frame("kept"))
    wire.free.set()
    await quiet()
    assert ("typing" in wire.sent, "too late" in wire.sent, "kept" in wire.sent) == (True, False, True)
    assert overflows == []


async def test_a_connection_that_is_gone_swallows_everything(socket, wire):
    socket.forget()
    socket.write(Frame("a"))
    socket.close(1000, Frame("bye"))
    await quiet()
    assert wire.sent == []


async def test_the_servers_direct_way_is_taken_where_it_is_offered(wire):
    class Direct(Socket):
        written = []

        def write(self, frame):
            self.written.append(frame.text)

    sending_side({"extensions": {DIRECT: Direct()}}, wire, lambda: None).write(Frame("a"))
    sending_side({"extensions": {}}, wire, lambda: None).write(Frame("b"))
    sending_side({}, wire, lambda: None).write(Frame("c"))
    await quiet()
    assert (Direct.written, wire.sent) == (["a"], ["b", "c"])
