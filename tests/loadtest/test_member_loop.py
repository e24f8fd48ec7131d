"""Messages are found wherever frames end."""

from websockets.frames import Frame, Opcode

from loadtest.bench.client.member_loop import Member, MemberLoop
from loadtest.bench.client.protocols import PROTOCOLS
from loadtest.bench.message import JSON_TEMPLATE, make_tagger
from loadtest.core.connection import Connection
from loadtest.core.handshake import HandshakeRequest
from loadtest.core.message_tag import MessageTag
from loadtest.core.oracle import FaultCounts

TAGGER = make_tagger()


def nats_line(number: int) -> bytes:
    text = TAGGER.build_text(MessageTag(0, number, 1_000 + number)).encode()
    return b"MSG bench 1 120\r\n" + JSON_TEMPLATE % text + b"\r\n"


class Room:
    """A NATS room of one sender, whose members get their chunks here and not from a socket."""

    def __init__(self) -> None:
        self.loop = MemberLoop(PROTOCOLS["nats"], 1, TAGGER)

    def join(self, socket_of_its_own: object) -> Member:
        connection = Connection(socket_of_its_own, HandshakeRequest(b"", ""))  # type: ignore[arg-type]
        member = Member(self.loop, connection, self.loop._new_trackers())
        member.is_ready = True
        self.loop.members.append(member)
        return member

    def receive(self, member: Member, stream: bytes, *cuts: int) -> FaultCounts:
        """Let a member receive frames which end at these places; returns the counts so far."""
        for start, end in zip((0, *cuts), (*cuts, len(stream)), strict=True):
            chunk = Frame(Opcode.BINARY, stream[start:end]).serialize(mask=False)
            known = self.loop._decoded_chunks.get(chunk)
            self.loop._deliver(member, known or self.loop._decode_chunk(member, chunk))
        assert member.partial == b""
        return self.loop.counts


class NoSocket:
    """Not connected to anything."""

    def fileno(self) -> int:
        return -1


def test_a_message_that_starts_in_one_frame_and_ends_in_the_next_is_found_once() -> None:
    stream = b"".join(map(nats_line, range(3)))
    for cut in range(1, len(stream)):
        room = Room()
        assert room.receive(room.join(NoSocket()), stream, cut) == FaultCounts(deliveries=3), f"cut at {cut}"


def test_a_message_in_many_frames_is_found_once() -> None:
    room, stream = Room(), nats_line(0)
    assert room.receive(room.join(NoSocket()), stream, *range(10, len(stream), 10)) == FaultCounts(deliveries=1)


def test_a_chunk_with_an_incomplete_message_is_not_remembered_for_others() -> None:
    room, line = Room(), nats_line(0) + nats_line(1)
    first, second = room.join(NoSocket()), room.join(NoSocket())
    room.receive(first, line, 200)
    assert room.receive(second, nats_line(0)) == FaultCounts(deliveries=3)
    assert set(room.loop._decoded_chunks) == {Frame(Opcode.BINARY, nats_line(0)).serialize(mask=False)}


def test_a_message_with_a_wrong_checksum_is_a_phantom() -> None:
    room = Room()
    assert room.receive(room.join(NoSocket()), nats_line(0).replace(b"tide", b"Tide")) == FaultCounts(phantom=1)
