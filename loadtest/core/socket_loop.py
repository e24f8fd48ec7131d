"""All sockets of one process in one epoll loop.

The loop must cost less than any server that it measures. Members of a room receive the same bytes, so a chunk that was
decoded once is known for the next socket: a delivery then costs a read, a dictionary lookup and a comparison. A
greenlet or task for each socket would be woken for each frame instead; README.md has the measurements.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from loadtest.core.connection import Connection
from loadtest.core.frames import ABNORMAL_CLOSE_CODE, CLOSE, Frame, parse_frames
from loadtest.core.handshake import ConnectionClosed, WebSocketError
from loadtest.core.latency import BUCKET_SHIFT
from loadtest.core.oracle import DeliveryTracker, FaultCounts, record_unexpected

logger = logging.getLogger(__name__)

EPOLLIN, EPOLLOUT = 1, 4  # <sys/epoll.h>; gevent removes them from the module `select`
MAX_CACHED = 2048  # chunks, and frames
MAX_CACHED_BYTES = 16 * 1024  # longer ones are seldom the same for two sockets


class Delivery(NamedTuple):
    """One element of a stream that a frame delivers."""

    stream: str
    seq: int
    due_at: int  # when it was due, nanoseconds of this machine's monotonic clock; 0 if it is not a message


class DecodedFrames(NamedTuple):
    """What one or more frames contain."""

    deliveries: tuple[Delivery, ...] = ()
    messages: int = 0  # deliveries that are messages
    frames: int = 1
    phantoms: tuple[tuple[str, int | None], ...] = ()  # stream and sequence number of messages that no user sent
    others: tuple[Frame, ...] = ()  # frames for the owner of the socket


NOTHING = DecodedFrames(frames=0)


class SocketOwner(Protocol):
    """The virtual user that a socket belongs to. Its methods are called by the loop, and must not wait."""

    connection: Connection | None
    trackers: dict[str, DeliveryTracker]

    def on_open(self) -> None:
        """Act on a handshake that the loop has completed."""

    def on_frame(self, frame: Frame) -> None:
        """Act on a frame without deliveries, other than CLOSE."""

    def on_connection_lost(self, code: int, reason: str) -> None:
        """Act on the end of the connection: the code of the close frame, or 1006."""

    def start_tracker(self, stream: str, seq: int) -> DeliveryTracker:
        """Return the tracker for a stream that delivers for the first time, with this sequence number."""


class SocketLoop:
    """Reads all sockets, and judges what they receive. Call `poll` again and again.

    Args:
        decode: turns the payload of a text or binary frame into what it contains; None if the frame is for the owner.
            Equal payloads must have equal results. A ValueError counts as a phantom.
        epoll: an instance of `select.epoll`.
        bucket_shift: resolution of `delays`, see `loadtest.core.latency`.
    """

    def __init__(
        self, decode: Callable[[bytes], DecodedFrames | None], epoll: Any, bucket_shift: int = BUCKET_SHIFT
    ) -> None:
        self.decode = decode
        self.counts = FaultCounts()
        self.delays: dict[int, int] | None = defaultdict(int)  # counts by (arrival - due_at) >> bucket_shift
        self.frames = self.bytes = 0
        self._bucket_shift = bucket_shift
        self._owners: dict[int, SocketOwner] = {}  # of open connections, by file descriptor
        self._opening: dict[int, SocketOwner] = {}
        self._decoded_chunks: dict[bytes, DecodedFrames] = {}
        self._decoded_payloads: dict[bytes, DecodedFrames] = {}
        self._epoll = epoll

    # --- sockets

    def add(self, owner: SocketOwner) -> None:
        """Begin to read an open connection, starting with what arrived together with its handshake."""
        connection = owner.connection
        assert connection
        self._owners[connection.fd] = owner
        self._epoll.register(connection.fd, EPOLLIN)
        if connection.buffer:
            self._deliver(owner, self._decode_chunk(owner, b""))

    def open(self, owner: SocketOwner) -> None:
        """Complete the handshake of a connection whose socket is connecting; `owner.on_open` is called then."""
        connection = owner.connection
        assert connection
        self._opening[connection.fd] = owner
        self._epoll.register(connection.fd, EPOLLIN | EPOLLOUT)

    def remove(self, connection: Connection) -> None:
        """Stop reading a connection; nothing happens if it is not being read."""
        owner = self._owners.pop(connection.fd, None) or self._opening.pop(connection.fd, None)
        if owner is not None:
            self._epoll.unregister(connection.fd)

    def send(self, owner: SocketOwner, payload: bytes, opcode: int) -> None:
        """Send a frame; what the system does not take now is sent when the socket is writable.

        Raises:
            ConnectionClosed: there is no connection, or the server does not read.
            OSError: the connection broke.
        """
        if (connection := owner.connection) is None:
            raise ConnectionClosed("there is no connection")
        connection.send(payload, opcode)
        if connection.unsent and connection.fd in self._owners:
            self._epoll.modify(connection.fd, EPOLLIN | EPOLLOUT)

    # --- the loop

    def poll(self, seconds: float, most: int) -> None:
        """Wait at most so many seconds until sockets are readable, and serve at most so many of them."""
        owners, decoded_chunks = self._owners, self._decoded_chunks
        for fd, ready in self._epoll.poll(seconds, most):
            if (owner := owners.get(fd)) is None or (connection := owner.connection) is None:
                if fd in self._opening:
                    self._continue_opening(self._opening[fd], ready)
                continue  # otherwise it was dropped while this batch was served
            try:
                if ready & EPOLLOUT:
                    connection.flush()
                    if not connection.unsent:
                        self._epoll.modify(fd, EPOLLIN)
                    if ready == EPOLLOUT:
                        continue
                chunk = connection.read()
            except BlockingIOError:
                continue
            except (WebSocketError, OSError) as error:
                self._lose(owner, connection, ABNORMAL_CLOSE_CODE, type(error).__name__)
                continue
            self.bytes += len(chunk)
            try:
                decoded = None if connection.buffer else decoded_chunks.get(chunk)
                self._deliver(owner, decoded or self._decode_chunk(owner, chunk))
            except ConnectionClosed:
                continue  # an answer could not be sent, and the owner knows
            except Exception:  # a bug of one user must not end the reading of all
                logger.exception("A virtual user failed on what it received")
                self._lose(owner, connection, ABNORMAL_CLOSE_CODE, "bug")

    def _deliver(self, owner: SocketOwner, decoded: DecodedFrames) -> None:
        trackers, counts = owner.trackers, self.counts
        self.frames += decoded.frames
        if decoded.messages:
            counts.deliveries += decoded.messages
            now, delays, shift = time.monotonic_ns(), self.delays, self._bucket_shift
        else:
            now, delays, shift = 0, None, 0
        for stream, seq, due_at in decoded.deliveries:
            if (tracker := trackers.get(stream)) is None:
                tracker = owner.start_tracker(stream, seq)
            if tracker.next_seq == seq:
                tracker.next_seq = seq + 1
            else:
                record_unexpected(tracker, seq, counts)
            if due_at and delays is not None:
                delays[(now - due_at) >> shift] += 1
        if decoded.phantoms or decoded.others:
            self._handle_rare(owner, decoded)

    def _handle_rare(self, owner: SocketOwner, decoded: DecodedFrames) -> None:
        """Handle phantoms, and frames for the owner."""
        for stream, seq in decoded.phantoms:
            self.counts.phantom += 1
            if seq is not None and (tracker := owner.trackers.get(stream)) and seq >= tracker.next_seq:
                tracker.phantom_seqs.add(seq)
        for frame in decoded.others:
            if frame.opcode == CLOSE:
                if connection := owner.connection:
                    self._lose(owner, connection, frame.close_code, frame.close_reason)
                return
            owner.on_frame(frame)

    def _continue_opening(self, owner: SocketOwner, ready: int) -> None:
        connection = owner.connection
        assert connection
        try:
            if ready & EPOLLOUT:  # the socket is connected
                self._epoll.modify(connection.fd, EPOLLIN)
                connection.start_handshake()
                return
            connection.continue_handshake()
        except BlockingIOError:
            return
        except (WebSocketError, OSError) as error:
            self._lose(owner, connection, ABNORMAL_CLOSE_CODE, type(error).__name__)
            return
        if connection.is_open:
            self._owners[connection.fd] = self._opening.pop(connection.fd)
            owner.on_open()
            if connection.buffer and owner.connection is connection:
                self._deliver(owner, self._decode_chunk(owner, b""))

    def _lose(self, owner: SocketOwner, connection: Connection, code: int, reason: str) -> None:
        self.remove(connection)
        connection.drop()
        owner.on_connection_lost(code, reason)

    # --- decoding

    def _decode_chunk(self, owner: SocketOwner, chunk: bytes) -> DecodedFrames:
        """Decode a chunk, and remember the result if the chunk consists of whole frames.

        A chunk with a frame for the owner is delivered here, frame by frame, because the frame may start a tracker
        that the next frame continues.
        """
        connection = owner.connection
        assert connection
        data = connection.buffer + chunk
        frames, consumed = parse_frames(data)
        connection.buffer = data[consumed:]
        parts = [self._decode_frame(frame) for frame in frames]
        if any(part.others for part in parts):
            for part in parts:
                if owner.connection is connection:
                    self._deliver(owner, part)
            return NOTHING
        decoded = DecodedFrames(
            tuple(one for part in parts for one in part.deliveries),
            sum(part.messages for part in parts),
            len(parts),
            tuple(one for part in parts for one in part.phantoms),
        )
        if consumed == len(data) == len(chunk) <= MAX_CACHED_BYTES:
            if len(self._decoded_chunks) >= MAX_CACHED:
                self._decoded_chunks.clear()
            self._decoded_chunks[chunk] = decoded
        return decoded

    def _decode_frame(self, frame: Frame) -> DecodedFrames:
        if frame.opcode >= CLOSE:
            return DecodedFrames(others=(frame,))
        payload = frame.payload
        if (known := self._decoded_payloads.get(payload)) is not None:
            return known
        try:
            decoded = self.decode(payload)
        except ValueError:
            decoded = DecodedFrames(phantoms=(("", None),))
        if decoded is None:
            return DecodedFrames(others=(frame,))
        if len(payload) <= MAX_CACHED_BYTES:
            if len(self._decoded_payloads) >= MAX_CACHED:
                self._decoded_payloads.clear()
            self._decoded_payloads[payload] = decoded
        return decoded
