"""The direct writer sends whole frames in order, and nothing after a close frame.

The tests use a real socket pair with a small kernel buffer and Twisted's real buffering. Only the reactor is a fake, so
that a test decides when each step happens.
"""

import contextlib
import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from channels_realtime.connection import DirectFrameWriter
from channels_realtime.frames import Frame

KERNEL_BUFFER_BYTES = 4096  # approximately: the kernel rounds it up


class FakeReactor:
    """Records which transports wait until their socket is writable."""

    def __init__(self):
        self.writers = set()

    def addReader(self, reader): ...  # noqa: N802
    def removeReader(self, reader): ...  # noqa: N802
    def addWriter(self, writer):  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer):  # noqa: N802
        self.writers.discard(writer)


class FakeProtocol:
    """The part of autobahn's protocol that the writer relies on; test_internals.py checks it against the real one."""

    STATE_CLOSED, STATE_CLOSING, STATE_OPEN = 0, 2, 3

    def __init__(self):
        self.state = self.STATE_OPEN

    def send_close_frame(self, code):
        if self.state == self.STATE_OPEN:
            self.send_own_frame(struct.pack("!BBH", 0x88, 2, code))
            self.state = self.STATE_CLOSING

    def send_own_frame(self, data):
        """Send as autobahn sends its own frames; see Connection.sendData."""
        self.writer.invalidate_fast_path()
        self.transport.write(data)

    def connectionLost(self, reason):  # noqa: N802
        self.state = self.STATE_CLOSED


class Link:
    """A connection, its writer, and the bytes that its client has received."""

    def __init__(self):
        self.server_socket, self.client_socket = socket.socketpair()
        for end in (self.server_socket, self.client_socket):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        self.client_socket.setblocking(False)
        self.reactor = FakeReactor()
        self.protocol = FakeProtocol()
        self.transport = Connection(self.server_socket, self.protocol, self.reactor)
        self.transport.connected = 1
        self.protocol.transport = self.transport
        self.writer = self.protocol.writer = DirectFrameWriter(self.protocol)
        self.received = b""
        self.sent: list[bytes] = []

    def run_reactor_once(self):
        """Write as the reactor does when it finds the socket writable."""
        for transport in list(self.reactor.writers):
            transport.doWrite()

    def read(self, size):
        with contextlib.suppress(BlockingIOError):
            self.received += self.client_socket.recv(size)

    def read_all(self):
        for _ in range(10_000):
            before = len(self.received)
            self.run_reactor_once()
            self.read(1 << 20)
            if len(self.received) == before and not self.reactor.writers:
                return
        raise AssertionError("the writer did not finish")

    def lose_connection(self):
        self.transport.connectionLost(Failure(ConnectionDone()))

    def close(self):
        for writer in list(self.reactor.writers):
            self.reactor.removeWriter(writer)
        self.server_socket.close()
        self.client_socket.close()


def frames(data):
    """Split bytes into frames of (opcode, payload). Fails on an incomplete frame."""
    found = []
    while data:
        assert data[0] in (0x81, 0x8A, 0x88), f"no frame begins with {data[:10]!r}"
        size, start = data[1], 2
        if size == 126:
            (size,), start = struct.unpack("!H", data[2:4]), 4
        elif size == 127:
            (size,), start = struct.unpack("!Q", data[2:10]), 10
        assert len(data) >= start + size, "a frame is incomplete"
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found


steps = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([1, 100, 125, 126, 3000, 65_535, 70_000, 200_000])),
    st.tuples(st.just("pong"), st.just(0)),
    st.tuples(st.just("read"), st.sampled_from([1, 500, 5000, 100_000])),
    st.tuples(st.just("run reactor"), st.just(0)),
    st.tuples(st.sampled_from(["close", "close at once", "lose"]), st.just(0)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_frames_stay_whole_and_ordered_under_any_mix_of_writes_partial_sends_and_closes(plan):
    link = Link()
    try:
        written, is_pending_dropped, is_closed, is_lost = [], False, False, False
        for number, (step, size) in enumerate(plan):
            if step == "write":
                text = f"{number}:" + "x" * size
                link.writer.write(Frame(text))
                assert link.writer.pending_bytes >= 0
                if not is_closed and not is_lost:
                    written.append(text.encode())
            elif step == "pong" and not is_closed and not is_lost:
                link.protocol.send_own_frame(b"\x8a\x00")
            elif step == "read":
                link.read(size)
            elif step == "run reactor":
                link.run_reactor_once()
            elif step in ("close", "close at once"):
                link.writer.close(4508, Frame("bye"), skip_pending=step == "close at once")
                if not is_closed and not is_lost:
                    written.append(b"bye")
                    is_pending_dropped = step == "close at once"
                is_closed = True
            elif step == "lose" and not is_lost:
                link.lose_connection()
                is_lost = True
                assert link.writer.pending_bytes == 0
        if is_lost:
            return  # how much the client received is up to the kernel
        link.read_all()
        found = frames(link.received)
        texts = [payload for opcode, payload in found if opcode == 0x81]
        if is_pending_dropped:
            remaining = iter(written)
            assert all(text in remaining for text in texts), "not in the order of writing"
            assert texts[-1] == b"bye"
        else:
            assert texts == written
        if is_closed:
            assert found[-1] == (0x88, struct.pack("!H", 4508))
        assert [opcode for opcode, _ in found].count(0x88) == is_closed
        assert link.writer.pending_bytes == 0
    finally:
        link.close()


def test_closing_with_skip_pending_drops_pending_frames_and_sends_the_last_message():
    link = Link()
    try:
        while link.writer.pending_bytes < 1_000_000:
            link.writer.write(Frame("x" * 1000))
        link.writer.close(4508, Frame("bye"), skip_pending=True)
        assert link.writer.pending_bytes == 0
        link.read_all()
        assert len(link.received) < 200_000
        assert frames(link.received)[-2:] == [(0x81, b"bye"), (0x88, struct.pack("!H", 4508))]
    finally:
        link.close()


def test_a_frame_that_fits_into_the_kernel_buffer_is_sent_without_the_reactor():
    link = Link()
    try:
        link.writer.write(Frame("hello"))
        assert link.writer.pending_bytes == 0
        link.read(100)
        assert link.received == b"\x81\x05hello"
        assert not link.reactor.writers
    finally:
        link.close()
