"""Whatever happens to a connection, its reader sees whole frames, in order, and nothing after a close frame.

On a real socket pair with a small kernel buffer, under Twisted's real buffering; only the reactor is ours, so that
each step can be put where it hurts.
"""

import contextlib
import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from realtime.connection import DirectFrameWriter
from realtime.frames import Frame

SMALL = 4096  # bytes, roughly, that the kernel takes


class Reactor:
    def __init__(self):
        self.writers = set()

    def addReader(self, reader): ...  # noqa: N802
    def removeReader(self, reader): ...  # noqa: N802
    def addWriter(self, writer):  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer):  # noqa: N802
        self.writers.discard(writer)


class Protocol:
    """The part of autobahn's protocol that the writer relies on; test_daphne_seams.py holds it against the real one."""

    STATE_CLOSED, STATE_CLOSING, STATE_OPEN = 0, 2, 3

    def __init__(self):
        self.state = self.STATE_OPEN

    def serverClose(self, code):  # noqa: N802
        if self.state == self.STATE_OPEN:
            self.say(struct.pack("!BBH", 0x88, 2, code))
            self.state = self.STATE_CLOSING

    def say(self, data):
        """As autobahn sends its own frames; see Connection.sendData."""
        self.writer.invalidate_fast_path()
        self.transport.write(data)

    def connectionLost(self, reason):  # noqa: N802
        self.state = self.STATE_CLOSED


class Link:
    """A connection, its writer, and what its client has received."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        self.theirs.setblocking(False)
        self.reactor = Reactor()
        self.protocol = Protocol()
        self.transport = Connection(self.ours, self.protocol, self.reactor)
        self.transport.connected = 1
        self.protocol.transport = self.transport
        self.writer = self.protocol.writer = DirectFrameWriter(self.protocol)
        self.got = b""
        self.sent: list[bytes] = []

    def turn(self):
        """The reactor finds the socket writable."""
        for transport in list(self.reactor.writers):
            transport.doWrite()

    def read(self, size):
        with contextlib.suppress(BlockingIOError):
            self.got += self.theirs.recv(size)

    def read_all(self):
        for _ in range(10_000):
            before = len(self.got)
            self.turn()
            self.read(1 << 20)
            if len(self.got) == before and not self.reactor.writers:
                return
        raise AssertionError("the writer never came to an end")

    def lose(self):
        self.transport.connectionLost(Failure(ConnectionDone()))

    def end(self):
        for writer in list(self.reactor.writers):
            self.reactor.removeWriter(writer)
        self.ours.close()
        self.theirs.close()


def frames(data):
    """Split a stream into (opcode, payload). Fails on a cut frame."""
    found = []
    while data:
        assert data[0] in (0x81, 0x8A, 0x88), f"no frame begins with {data[:10]!r}"
        size, start = data[1], 2
        if size == 126:
            (size,), start = struct.unpack("!H", data[2:4]), 4
        elif size == 127:
            (size,), start = struct.unpack("!Q", data[2:10]), 10
        assert len(data) >= start + size, "a frame is cut"
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found


steps = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([1, 100, 125, 126, 3000, 65_535, 70_000, 200_000])),
    st.tuples(st.just("pong"), st.just(0)),
    st.tuples(st.just("read"), st.sampled_from([1, 500, 5000, 100_000])),
    st.tuples(st.just("turn"), st.just(0)),
    st.tuples(st.sampled_from(["close", "cut off", "lose"]), st.just(0)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_any_mix_of_sends_partial_writes_and_ends_leaves_whole_frames(plan):
    link = Link()
    try:
        written, forgotten, closed, lost = [], False, False, False
        for number, (step, size) in enumerate(plan):
            if step == "write":
                text = f"{number}:" + "x" * size
                link.writer.write(Frame(text))
                assert link.writer.pending_bytes >= 0
                if not closed and not lost:
                    written.append(text.encode())
            elif step == "pong" and not closed and not lost:
                link.protocol.say(b"\x8a\x00")
            elif step == "read":
                link.read(size)
            elif step == "turn":
                link.turn()
            elif step in ("close", "cut off"):
                link.writer.close(4508, Frame("bye"), skip_pending=step == "cut off")
                if not closed and not lost:
                    written.append(b"bye")
                    forgotten = step == "cut off"
                closed = True
            elif step == "lose" and not lost:
                link.lose()
                lost = True
                assert link.writer.pending_bytes == 0
        if lost:
            return  # the kernel has what it has
        link.read_all()
        found = frames(link.got)
        texts = [payload for opcode, payload in found if opcode == 0x81]
        if forgotten:
            left = iter(written)
            assert all(text in left for text in texts), "not in the order of writing"
            assert texts[-1] == b"bye"
        else:
            assert texts == written
        if closed:
            assert found[-1] == (0x88, struct.pack("!H", 4508))
        assert [opcode for opcode, _ in found].count(0x88) == closed
        assert link.writer.pending_bytes == 0
    finally:
        link.end()


def test_a_reader_that_is_cut_off_is_spared_what_waited():
    link = Link()
    try:
        while link.writer.pending_bytes < 1_000_000:
            link.writer.write(Frame("x" * 1000))
        link.writer.close(4508, Frame("bye"), skip_pending=True)
        assert link.writer.pending_bytes == 0
        link.read_all()
        assert len(link.got) < 200_000
        assert frames(link.got)[-2:] == [(0x81, b"bye"), (0x88, struct.pack("!H", 4508))]
    finally:
        link.end()


def test_a_frame_that_fits_goes_out_without_the_reactor():
    link = Link()
    try:
        link.writer.write(Frame("hello"))
        assert link.writer.pending_bytes == 0
        link.read(100)
        assert link.got == b"\x81\x05hello"
        assert not link.reactor.writers
    finally:
        link.end()
