"""The members of one room, in one epoll loop.

Locust's users would cost more than the servers that are measured here: each needs a greenlet to join and to send.
A member is therefore a plain object, and everything that it does happens inside the loop that both front ends share.
"""

import select
import time
from collections import Counter, defaultdict

from loadtest.bench.address import Address
from loadtest.bench.client.protocols import ChatProtocol
from loadtest.core.connection import Connection
from loadtest.core.frames import ABNORMAL_CLOSE_CODE, PING, PONG, Frame
from loadtest.core.handshake import HandshakeRequest, WebSocketError
from loadtest.core.message_tag import MessageTagger
from loadtest.core.oracle import DeliveryTracker, finalize
from loadtest.core.socket_loop import DecodedFrames, Delivery, SocketLoop, SocketOwner
from loadtest.core.tls import unverified_context

MAX_EVENTS = 4096  # taken from the kernel at a time
BUCKET_SHIFT = 10  # a bucket of latencies is a microsecond wide: a phase is short, and made into a histogram after it
ERROR_CHARACTERS = 200  # of a server's error, in the result


class Member:
    """One member of the room. The attributes `connection` and `trackers` are those of SocketOwner."""

    __slots__ = ("connection", "has_received_bye", "is_ready", "loop", "partial", "trackers")

    def __init__(self, loop: "MemberLoop", connection: Connection, trackers: dict[str, DeliveryTracker]) -> None:
        self.loop = loop
        self.connection: Connection | None = connection
        self.trackers = trackers  # by sender; empty for a member that does not listen
        self.is_ready = False
        self.has_received_bye = False
        self.partial = b""  # of a message that continues in the next frame

    @property
    def listens(self) -> bool:
        """Whether the member wants the room's messages."""
        return bool(self.trackers)

    def on_open(self) -> None:
        """Send the opening frames of the contender's protocol."""
        for payload in self.loop.protocol.opening_frames(listens=self.listens):
            self.loop.send_from(self, payload)
        if self.loop.protocol.is_ready_at_once:
            self._become_ready()

    def on_frame(self, frame: Frame) -> None:
        """Answer what needs an answer; note what the result shows."""
        loop, protocol, payload = self.loop, self.loop.protocol, frame.payload
        if frame.opcode == PING:
            loop.send_from(self, payload, PONG)
            return
        if (reply := protocol.build_reply(payload)) is not None:
            loop.send_from(self, reply)
        elif protocol.announces_close(payload):
            self.has_received_bye = True
        elif protocol.is_error(payload):
            loop.problems[payload[:ERROR_CHARACTERS].decode(errors="replace")] += 1
        if not self.is_ready and protocol.is_ready(payload, listens=self.listens):
            self._become_ready()
        if protocol.spans_frames:
            self._join_parts(payload)

    def on_connection_lost(self, code: int, reason: str) -> None:
        """Note how the connection ended: by the close code, or by the name of the exception."""
        self.connection = None
        loop = self.loop
        loop.ready -= self.is_ready
        self.is_ready = False
        loop.lost_members += 1
        loop.closed[reason if code == ABNORMAL_CLOSE_CODE else str(code)] += 1
        loop.closed_after_bye += self.has_received_bye and code != ABNORMAL_CLOSE_CODE
        loop.close_times.append(time.monotonic())

    def start_tracker(self, stream: str, seq: int) -> DeliveryTracker:
        """Return a tracker that counts for nothing: the member does not listen, or the sender does not exist."""
        return DeliveryTracker(seq, seq)

    def _become_ready(self) -> None:
        self.is_ready = True
        self.loop.ready += 1

    def _join_parts(self, payload: bytes) -> None:
        """Deliver the lines that are complete; keep the rest for the next frame."""
        data = self.partial + payload
        end = data.rfind(b"\r\n") + 2 if b"\r\n" in data else 0
        self.partial = data[end:]
        self.loop.deliver_part(self, data[:end])


class MemberLoop(SocketLoop):
    """The members of one room. Messages are numbered; message n is number n // senders of sender n % senders.

    Attributes:
        protocol: the contender's.
        members: all that were ever added, in order.
        ready: how many are members of the room now.
        lost_members: how many have lost their connection.
        closed: connections that ended, by close code, or by the name of the exception.
        closed_after_bye: how many of them were announced by the server.
        close_times: when, by time.monotonic.
        problems: what went wrong on the way, by what the server or the client says of it.
        arrivals: for each sender, how many members have each of its messages; counted while `counts_arrivals`.
    """

    def __init__(self, protocol: ChatProtocol, senders: int, tagger: MessageTagger) -> None:
        super().__init__(self._decode, select.epoll(), BUCKET_SHIFT)
        self.protocol = protocol
        self.tagger = tagger
        self.streams = [str(sender) for sender in range(senders)]
        self.delays = None
        self.members: list[Member] = []
        self.ready = self.lost_members = 0
        self.finalized = 0  # messages below this number have been judged
        self.closed: Counter[str] = Counter()
        self.closed_after_bye = 0
        self.close_times: list[float] = []
        self.problems: Counter[str] = Counter()
        self.arrivals: dict[str, list[int]] = {stream: [] for stream in self.streams}
        self.counts_arrivals = False
        self._tls_context = unverified_context()  # who the server is does not matter; what encryption costs does

    def add_member(self, address: Address, request: HandshakeRequest, *, listens: bool) -> None:
        """Begin to connect one more member.

        Raises:
            OSError: the server takes no more connections.
        """
        connection = Connection(address.start_connecting(), request, self._tls_context if address.tls else None)
        trackers = self._new_trackers() if listens else {}
        member = Member(self, connection, trackers)
        self.members.append(member)
        self.open(member)

    def send_from(self, member: Member, payload: bytes, opcode: int | None = None) -> None:
        """Send a frame from a member. A member that lost its connection cannot: the message is then lost to all."""
        try:
            self.send(member, payload, self.protocol.opcode if opcode is None else opcode)
        except (WebSocketError, OSError) as error:
            self.problems["a sender has lost its connection"] += 1
            if connection := member.connection:
                self._lose(member, connection, ABNORMAL_CLOSE_CODE, type(error).__name__)

    def run_once(self, seconds: float) -> None:
        """Wait at most so many seconds for something to happen, and handle it."""
        self.poll(seconds, MAX_EVENTS)

    def start_latencies(self) -> None:
        """Begin to measure the latency of every delivery."""
        self.delays = defaultdict(int)

    def take_latencies(self) -> dict[int, int]:
        """Stop measuring latencies; return their counts in buckets of 2 ** BUCKET_SHIFT nanoseconds."""
        delays, self.delays = self.delays, None
        return delays or {}

    def finalize(self, sent: int) -> int:
        """Judge messages below number `sent`, whose time to arrive is over; return how many deliveries are lost."""
        self.finalized = sent
        return sum(
            finalize(tracker, self._first_number(sent, sender))
            for member in self.members
            if member.is_ready
            for sender, tracker in enumerate(member.trackers.values())
        )

    def disconnect(self) -> None:
        """Close all connections without a close frame."""
        for member in self.members:
            if connection := member.connection:
                self.remove(connection)
                connection.drop()
                member.connection = None

    def deliver_part(self, member: Member, payload: bytes) -> None:
        """Deliver the messages of a payload that was put together from several frames."""
        self._deliver(member, self._decode_messages(payload)._replace(frames=0))

    def _new_trackers(self) -> dict[str, DeliveryTracker]:
        numbers = (self._first_number(self.finalized, sender) for sender in range(len(self.streams)))
        return {
            stream: DeliveryTracker(number, number, finalized=number)
            for stream, number in zip(self.streams, numbers, strict=True)
        }

    def _first_number(self, message: int, sender: int) -> int:
        """Return how many of the messages below this number are of this sender."""
        senders = len(self.streams)
        return (message - sender + senders - 1) // senders

    # --- what SocketLoop calls

    def _decode(self, payload: bytes) -> DecodedFrames | None:
        return self._decode_messages(payload) if self.protocol.carries_messages(payload) else None

    def _decode_messages(self, payload: bytes) -> DecodedFrames:
        tags = self.tagger.find_tags(payload)
        deliveries = tuple(Delivery(str(tag.user), tag.number, tag.due_at) for tag in tags if tag)
        return DecodedFrames(deliveries, len(deliveries), phantoms=(("", None),) * tags.count(None))

    def _deliver(self, owner: SocketOwner, decoded: DecodedFrames) -> None:
        super()._deliver(owner, decoded)
        if self.counts_arrivals:
            arrivals = self.arrivals
            for stream, number, _ in decoded.deliveries:
                arrivals[stream][number] += 1
