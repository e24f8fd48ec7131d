"""All members in one epoll loop.

The loop must be cheaper than any server it measures. Members get the same bytes at the same time, so a chunk that was
taken apart once is known the next time: a delivery then costs a read, a look into a dictionary, and a comparison.
"""

import select
import time
from array import array
from collections import Counter
from typing import NamedTuple

from loadtest import frames
from loadtest.bench import message
from loadtest.bench.client.dialects import Dialect
from loadtest.bench.client.lines import Address, Ended, Line, Refused, TlsLine
from loadtest.bench.client.oracle import Oracle

KNOWN_CHUNKS = 1024
EVENTS = 4096  # taken from the kernel at a time
FOR_READING, FOR_OPENING = select.EPOLLIN, select.EPOLLIN | select.EPOLLOUT


class Deed(NamedTuple):
    """Something that a chunk wants done, beside counting messages."""

    reply: bytes = b""  # a frame to send back
    code: int = 0  # the server closes with this
    goodbye: bool = False  # the server says that it will close
    complaint: str = ""


class Found(NamedTuple):
    """What a chunk holds."""

    messages: tuple[tuple[int, int], ...]  # number, moment
    frames: int
    deeds: tuple[Deed, ...]


NOTHING = Found((), 0, ())


class Crowd:
    """Members of one room. Turn the loop with `turn`; everything else happens inside it."""

    def __init__(self, dialect: Dialect, senders: int) -> None:
        self.dialect = dialect
        self.oracle = Oracle(senders)
        self.members: list[Line] = []
        self.ready = self.gone = 0  # members who are in, and who were connected once
        self.arrived: list[int] = []  # for each message, how many have it
        self.deliveries = self.frames = self.bytes = 0
        self.delays: array[int] | None = None  # nanoseconds from the meant moment to arrival, when wanted
        self.closed: Counter[str] = Counter()  # members who are gone: by close code, or by how else they ended
        self.goodbyes = 0
        self.closing_times: list[float] = []
        self.complaints: Counter[str] = Counter()
        self._lines: dict[int, Line] = {}  # by file descriptor
        self._known: dict[bytes, Found] = {}
        self._epoll = select.epoll()

    def add(self, address: Address, request: bytes, *, listens: bool) -> None:
        """Begin to connect one more member. Raises OSError when the server takes no more."""
        kind = TlsLine if address.tls else Line
        line = kind(address, request, self.oracle.new_track(), listens=listens)
        self.members.append(line)
        self._lines[line.fd] = line
        self._epoll.register(line.fd, FOR_OPENING)

    def say(self, line: Line, payload: bytes) -> None:
        """Let a member say something. One who was sent away cannot: that message will be missing everywhere."""
        try:
            line.say(payload, self.dialect.opcode)
        except (Ended, OSError) as end:
            self.complaints["a sender is gone"] += 1
            self._lose(line, type(end).__name__)

    # --- the loop

    def turn(self, seconds: float) -> None:
        """Wait at most so long for something to happen, and deal with it."""
        lines, known, arrived, clock = self._lines, self._known, self.arrived, time.monotonic_ns
        senders = self.oracle.senders
        for fd, _ in self._epoll.poll(seconds, EVENTS):
            line = lines[fd]
            try:
                if line.careful:
                    chunk = self._open(line)
                    found = self._study(line, chunk) if chunk else NOTHING
                else:
                    chunk = line.read()
                    found = known.get(chunk) or self._study(line, chunk)
                if found.deeds:
                    self._do(line, found.deeds)
            except BlockingIOError:
                continue
            except (Ended, OSError) as end:
                self._lose(line, type(end).__name__)
                continue
            self.bytes += len(chunk)
            self.frames += found.frames
            due = line.track.due
            for number, moment in found.messages:
                sender = number % senders
                if due[sender] == number:
                    due[sender] = number + senders
                else:
                    self.oracle.unexpected(line.track, number)
                arrived[number] += 1
                self.deliveries += 1
                if self.delays is not None:
                    self.delays.append(clock() - moment)

    # --- the beginning of a line, and what is not whole

    def _open(self, line: Line) -> bytes:
        """Take the next step of an opening; return what was read of frames."""
        if line.step:
            line.step()
            self._epoll.modify(line.fd, FOR_READING)
            return b""
        chunk = line.read()
        if line.upgraded:
            return chunk
        head, end, chunk = (line.rest + chunk).partition(b"\r\n\r\n")
        if not end:
            line.rest = head
            return b""
        line.rest = b""
        status = head.split(b"\r\n", 1)[0].split(b" ", 2)[1:2]
        if status != [b"101"]:
            raise Refused(*status)
        line.upgraded = True
        for payload in self.dialect.opening(listens=line.listens):
            line.say(payload, self.dialect.opcode)
        if self.dialect.ready_at_once:
            self._welcome(line)
        return chunk

    def _welcome(self, line: Line) -> None:
        line.ready, line.careful = True, False
        self.ready += 1

    def _study(self, line: Line, chunk: bytes) -> Found:
        """Take a chunk apart, and remember what it holds if it stands for itself."""
        data = line.rest + chunk
        whole, taken = frames.split(data)
        alone = not line.rest and not line.text and taken == len(data)
        line.rest = data[taken:]
        messages: list[tuple[int, int]] = []
        deeds: list[Deed] = []
        for frame in whole:
            if deed := self._deed(frame):
                deeds.append(deed)
            if frame.opcode in (frames.TEXT, frames.BINARY):
                if not line.ready and self.dialect.is_ready(frame.payload, listens=line.listens):
                    self._welcome(line)
                if self.dialect.carries(frame.payload):
                    messages += message.found_in(self._joined(line, frame.payload))
        line.careful = bool(line.rest or line.text) or not line.ready
        found = Found(tuple(messages), len(whole), tuple(deeds))
        if alone and not line.careful:
            if len(self._known) >= KNOWN_CHUNKS:
                self._known.clear()
            self._known[chunk] = found
        return found

    def _joined(self, line: Line, payload: bytes) -> bytes:
        """The payload, from the beginning of a message on; what is not yet whole waits for the next frame."""
        if not self.dialect.streams:
            return payload
        text = line.text + payload
        end = text.rfind(b"\r\n") + 2 if b"\r\n" in text else 0
        line.text = text[end:]
        return text[:end]

    # --- what is not a message

    def _deed(self, frame: frames.Frame) -> Deed | None:
        if frame.opcode == frames.PING:
            return Deed(reply=frames.build(frame.payload, frames.PONG))
        if frame.opcode == frames.CLOSE:
            return Deed(code=frame.close_code)
        if (reply := self.dialect.answer(frame.payload)) is not None:
            return Deed(reply=frames.build(reply, self.dialect.opcode))
        if self.dialect.says_goodbye(frame.payload):
            return Deed(goodbye=True)
        if self.dialect.complains(frame.payload):
            return Deed(complaint=frame.payload[:200].decode(errors="replace"))
        return None

    def _do(self, line: Line, deeds: tuple[Deed, ...]) -> None:
        for deed in deeds:
            if deed.reply:
                line.write(deed.reply)
            line.goodbye |= deed.goodbye
            if deed.complaint:
                self.complaints[deed.complaint] += 1
            if deed.code:
                self.goodbyes += line.goodbye
                self._lose(line, str(deed.code))
                return

    def _lose(self, line: Line, how: str) -> None:
        if line.fd in self._lines:
            del self._lines[line.fd]
            self._epoll.unregister(line.fd)
            line.socket.close()
            self.ready -= line.ready
            line.ready = False
            self.gone += 1
            self.closed[how] += 1
            self.closing_times.append(time.monotonic())

    def leave(self) -> None:
        """Hang up, all of us."""
        for line in list(self._lines.values()):
            del self._lines[line.fd]
            self._epoll.unregister(line.fd)
            line.socket.close()
        self._epoll.close()
