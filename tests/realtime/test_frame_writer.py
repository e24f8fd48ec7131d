"""The sending side of a connection: order, limits, and the last message before a close."""

import asyncio

import pytest

from channels_realtime.frames import DIRECT_WRITER, MAX_PENDING_BYTES, AsgiFrameWriter, Frame, FrameWriter, frame_writer
from tests.clock import quiet


class FakeSend:
    """The `send` of an ASGI server. It waits while `is_free` is not set."""

    def __init__(self):
        self.sent = []
        self.is_free = asyncio.Event()
        self.is_free.set()

    async def __call__(self, message):
        await self.is_free.wait()
        self.sent.append(message.get("text", message.get("code")))


@pytest.fixture
def send():
    return FakeSend()


@pytest.fixture
def overflows():
    return []


@pytest.fixture
def writer(send, overflows):
    def overflow():
        overflows.append(1)
        made.close(4508, Frame("bye"), skip_pending=True)

    made = frame_writer({}, send)
    made.on_overflow = overflow
    assert isinstance(made, AsgiFrameWriter)
    return made


async def test_frames_are_sent_in_the_order_of_writing(writer, send):
    for number in range(100):
        writer.write(Frame(str(number)))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await quiet()
    assert send.sent == [str(number) for number in range(100)]


async def test_nothing_is_sent_after_the_last_message_and_the_close(writer, send):
    writer.write(Frame("a"))
    writer.close(1012, Frame("bye"))
    writer.write(Frame("b"))
    writer.write_droppable(Frame("c"))
    writer.close(4400, Frame("bye again"))
    await quiet()
    assert send.sent == ["a", "bye", 1012]
    assert writer.is_closed


async def test_closing_with_skip_pending_drops_pending_frames_but_sends_the_last_message(writer, send):
    send.is_free.clear()
    writer.write(Frame("in progress"))
    await quiet()
    for number in range(10):
        writer.write(Frame(str(number)))
    writer.close(4508, Frame("bye"), skip_pending=True)
    send.is_free.set()
    await quiet()
    assert send.sent == ["in progress", "bye", 4508]


async def test_overflow_is_reported_once_when_a_client_reads_too_slowly(writer, send, overflows):
    send.is_free.clear()
    frame = Frame("x" * 1000)
    written = 0
    while not overflows:
        writer.write(frame)
        written += len(frame.wire)
        assert written <= MAX_PENDING_BYTES + 2 * len(frame.wire)
    for _ in range(10):
        writer.write(frame)
    assert (len(overflows), written > MAX_PENDING_BYTES) == (1, True)
    send.is_free.set()
    await quiet()
    assert send.sent[-2:] == ["bye", 4508]
    assert len(send.sent) <= 3


async def test_sent_frames_are_no_longer_pending(writer, send, overflows):
    frame = Frame("x" * (MAX_PENDING_BYTES // 2))
    for _ in range(20):
        writer.write(frame)
        await quiet()
    assert (len(send.sent), overflows) == (20, [])


async def test_ephemeral_frames_are_dropped_when_half_of_the_limit_is_pending(writer, send, overflows):
    send.is_free.clear()
    writer.write(Frame("in progress"))
    await quiet()
    writer.write(Frame("x" * (MAX_PENDING_BYTES // 2 - 100)))
    writer.write_droppable(Frame("typing"))
    writer.write(Frame("x" * 100))
    writer.write_droppable(Frame("too late"))
    writer.write(Frame("kept"))
    send.is_free.set()
    await quiet()
    assert ("typing" in send.sent, "too late" in send.sent, "kept" in send.sent) == (True, False, True)
    assert overflows == []


async def test_nothing_is_sent_on_a_lost_connection(writer, send):
    writer.mark_lost()
    writer.write(Frame("a"))
    writer.close(1000, Frame("bye"))
    await quiet()
    assert send.sent == []


async def test_the_direct_writer_of_the_server_is_used_where_it_is_offered(send):
    class Direct(FrameWriter):
        written = []

        def write(self, frame):
            self.written.append(frame.text)

    frame_writer({"extensions": {DIRECT_WRITER: Direct()}}, send).write(Frame("a"))
    frame_writer({"extensions": {}}, send).write(Frame("b"))
    frame_writer({}, send).write(Frame("c"))
    await quiet()
    assert (Direct.written, send.sent) == (["a"], ["b", "c"])
