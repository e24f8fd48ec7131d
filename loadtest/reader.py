"""All sockets of one process, read by one greenlet.

A greenlet for each socket would be woken for each frame; here one epoll tells which sockets have something, and gevent
watches only that epoll. Members of a room get the same bytes: what was taken apart once is known the next time.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple, Protocol

import gevent
from gevent import monkey

from loadtest import frames, oracle
from loadtest.connection import Connection, Ended
from loadtest.frames import Frame
from loadtest.histogram import SHIFT

logger = logging.getLogger(__name__)
epoll = monkey.get_original("select", "epoll")
EPOLLIN, EPOLLOUT = 1, 4
BATCH = 128  # sockets served before timers get their turn
KNOWN = 2048  # chunks, and frames, that are remembered
SHORT = 16 * 1024  # bytes; longer ones are not worth it


class Delivery(NamedTuple):
    stream: str
    place: int
    moment: int  # meant to leave, by this machine's clock, nanoseconds; 0 for what is no message


class Found(NamedTuple):
    """What a chunk holds."""

    deliveries: tuple[Delivery, ...] = ()
    messages: int = 0
    frames: int = 1
    phantoms: tuple[tuple[str, int | None], ...] = ()
    others: tuple[Frame, ...] = ()  # for the socket's owner


NOTHING = Found(frames=0)


class Owner(Protocol):
    """Of a socket."""

    tracks: dict[str, oracle.Track]
    connection: Connection | None

    def heard(self, frame: Frame) -> None:
        """A frame without deliveries. Must not wait."""

    def ended(self, code: int, reason: str) -> None:
        """The connection is over: by a close frame, or 1006. Must not wait."""

    def new_track(self, stream: str, place: int) -> oracle.Track:
        """Something came of a stream that is not yet followed."""


class Reader:
    """`study` turns one text frame's payload into what it holds; None when it is the owner's."""

    def __init__(self, study: Callable[[bytes], Found | None]) -> None:
        self.study = study
        self.counts = oracle.Counts()
        self.delays: dict[int, int] = defaultdict(int)  # where latencies of deliveries are counted; see Recorder
        self.frames = 0
        self._owners: dict[int, Owner] = {}  # by file descriptor
        self._known: dict[bytes, Found] = {}
        self._frames: dict[bytes, Found] = {}
        self._epoll = epoll()

    def start(self) -> None:
        gevent.spawn(self._run)

    def add(self, owner: Owner) -> None:
        """Begin to read an open connection; what came with the answer to the handshake first."""
        connection = owner.connection
        assert connection
        self._owners[connection.fd] = owner
        self._epoll.register(connection.fd, EPOLLIN)
        if connection.rest:
            self._deliver(owner, self._split(owner, b""))

    def remove(self, connection: Connection) -> None:
        if self._owners.pop(connection.fd, None) is not None:
            self._epoll.unregister(connection.fd)

    def wants_to_write(self, connection: Connection, *, wants: bool) -> None:
        if connection.fd in self._owners:
            self._epoll.modify(connection.fd, EPOLLIN | EPOLLOUT if wants else EPOLLIN)

    # --- the loop

    def _run(self) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._epoll.fileno(), 1)
        while True:
            hub.wait(watcher)
            self.turn()

    def turn(self) -> None:
        """Serve the sockets that have something."""
        owners, known = self._owners, self._known
        for fd, what in self._epoll.poll(0, BATCH):
            owner = owners.get(fd)
            if owner is None or (connection := owner.connection) is None:
                continue  # dropped while this batch was served
            try:
                if what & EPOLLOUT:
                    connection.flush()
                    self.wants_to_write(connection, wants=bool(connection.unsent))
                    if what == EPOLLOUT:
                        continue
                chunk = connection.read()
            except BlockingIOError:
                continue
            except (Ended, OSError) as error:
                self._lose(owner, connection, 1006, type(error).__name__)
                continue
            try:
                found = None if connection.rest else known.get(chunk)
                self._deliver(owner, found or self._split(owner, chunk))
            except Ended:
                continue  # answering failed, and the owner knows
            except Exception:  # a bug of one user's must not end the reading of all
                logger.exception("A user could not deal with what came")
                self._lose(owner, connection, 1006, "bug")

    def _deliver(self, owner: Owner, found: Found) -> None:
        tracks, counts = owner.tracks, self.counts
        self.frames += found.frames
        if found.messages:
            counts.deliveries += found.messages
            now, delays = time.monotonic_ns(), self.delays
        for stream, place, moment in found.deliveries:
            track = tracks.get(stream)
            if track is None:
                track = owner.new_track(stream, place)
            if track.due == place:
                track.due = place + 1
            else:
                oracle.unexpected(track, place, counts)
            if moment:
                delays[(now - moment) >> SHIFT] += 1
        if found.phantoms or found.others:
            self._take(owner, found)

    def _take(self, owner: Owner, found: Found) -> None:
        """What is rare: frames for the owner, and phantoms."""
        for stream, place in found.phantoms:
            self.counts.phantom += 1
            if place is not None and (track := owner.tracks.get(stream)) and place >= track.due:
                track.phantoms.add(place)
        for frame in found.others:
            if frame.opcode == frames.CLOSE:
                if connection := owner.connection:
                    self._lose(owner, connection, frame.close_code, frame.payload[2:].decode(errors="replace"))
                return
            owner.heard(frame)

    def _lose(self, owner: Owner, connection: Connection, code: int, reason: str) -> None:
        self.remove(connection)
        connection.drop()
        owner.ended(code, reason)

    # --- taking apart

    def _split(self, owner: Owner, chunk: bytes) -> Found:
        """What a chunk holds, remembered if it stands for itself. One with a frame for the owner is dealt with here,

        frame by frame: an answer may begin a track which the next frame goes on with.
        """
        connection = owner.connection
        assert connection
        data = connection.rest + chunk
        whole, taken = frames.split(data)
        connection.rest = data[taken:]
        parts = [self._frame(frame) for frame in whole]
        if any(part.others for part in parts):
            for part in parts:
                if owner.connection is connection:
                    self._deliver(owner, part)
            return NOTHING
        found = Found(
            tuple(one for part in parts for one in part.deliveries),
            sum(part.messages for part in parts),
            len(parts),
            tuple(one for part in parts for one in part.phantoms),
        )
        if taken == len(data) == len(chunk) <= SHORT:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[chunk] = found
        return found

    def _frame(self, frame: Frame) -> Found:
        if frame.opcode >= frames.CLOSE:
            return Found(others=(frame,))
        payload = frame.payload
        if (known := self._frames.get(payload)) is not None:
            return known
        if (found := self.study(payload)) is None:
            return Found(others=(frame,))
        if len(payload) <= SHORT:
            if len(self._frames) >= KNOWN:
                self._frames.clear()
            self._frames[payload] = found
        return found
