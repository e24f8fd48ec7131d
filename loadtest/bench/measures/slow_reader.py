"""One member that reads a thousand bytes a second in a busy room: it is closed, and the others do not notice."""

import json
import socket
import time
from typing import Any, TypedDict, cast

from loadtest.bench.client.protocols import CHAT_ROOM
from loadtest.bench.client.room import TalkResult
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.contenders.contender import Target
from loadtest.bench.measure import connect_members
from loadtest.bench.message import make_tagger
from loadtest.bench.result import SlowReaderRow
from loadtest.bench.servers import ServerProcesses
from loadtest.core.bundled_chat_protocol import SUBPROTOCOL, build_command
from loadtest.core.frames import CLOSE, TEXT, build_frame, parse_frames
from loadtest.core.handshake import build_request, parse_response
from loadtest.core.message_tag import MessageTag

RATE = 15.0  # messages a second
TEXT_CHARACTERS = 3_500  # long ones: the server's cap of 1 MiB is reached within half a minute
BYTES_PER_SECOND = 1_024
PAGE_SIZE = 100  # messages of one `history` command
SOCKET_TIMEOUT_SECONDS = 30
DEFAULT_SIZE = 1_000


class ReturnResult(TypedDict):
    """How the slow member came back."""

    close_code: int | None
    recovered: bool
    missing_after: int
    received_twice: int


def measure_slow_reader(*, quick: bool, size: int | None, seconds: float | None) -> list[SlowReaderRow]:
    """Return a row without the slow member, and a row with it."""
    duration = seconds or (30 if quick else 45)
    return [measure_busy_room(size or DEFAULT_SIZE, duration, slow=slow) for slow in (False, True)]


def measure_busy_room(size: int, seconds: float, *, slow: bool) -> SlowReaderRow:
    """Return the row of one room. `slow`: with one more member, which reads slowly."""
    with ServerProcesses() as servers:
        target = BundledChat(unix=True).start(servers, size + 1)
        with Client(target, size, characters=TEXT_CHARACTERS) as client:
            connect_members(servers, client, size)
            reader = SlowReader(target) if slow else None
            before = servers.measure()["server"].rss
            client.start_fixed_rate(rate=RATE, seconds=seconds)
            if reader:
                reader.read_slowly(seconds)
            result = cast("TalkResult", client.read_answer())
            latency = result.get("latency_ms")
            row = SlowReaderRow(
                slow_reader=slow,
                others=size,
                messages=result["messages"],
                overloaded=result.get("overloaded", False),
                p50_ms=latency["p50"] if latency else 0.0,
                p99_ms=latency["p99"] if latency else 0.0,
                rss_growth_kib=(servers.measure()["server"].rss - before) / 1024,
                lost=result["lost"],
                client_busy=result["client_busy"],
            )
            if reader:
                row.update(cast("SlowReaderRow", reader.reconnect(result["messages"])))
            return row


class SlowReader:
    """A member that remembers what it has received.

    It has a blocking socket of its own, because how much it reads at a time is what is measured here: the client's
    loop always reads everything.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.tagger = make_tagger(TEXT_CHARACTERS)
        self.received: list[MessageTag] = []  # in order
        self.epoch, self.seq = "", 0
        self.close_code: int | None = None
        self._connect({})
        self._read_until("joined")
        self.received.clear()

    def read_slowly(self, seconds: float) -> None:
        """Read a little every tenth of a second, until the time is over or the server has closed the connection."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.close_code is None:
            self._read(BYTES_PER_SECOND // 10)
            time.sleep(0.1)

    def reconnect(self, messages: int) -> ReturnResult:
        """Read up to the close frame, connect again, and resume; count what is missing of so many messages."""
        self.socket.settimeout(2)
        try:
            while self.close_code is None and self._read(65_536):
                pass
        except TimeoutError:
            pass
        code, self.close_code = self.close_code, None
        self.socket.close()
        self._connect({"since": {"epoch": self.epoch, "seq": self.seq}})
        last = self.seq
        joined = self._read_until("joined")
        while not joined["recovered"]:  # too many messages for one answer: read the history page by page
            self._send("history", 3, room=CHAT_ROOM, after=last, limit=PAGE_SIZE)
            page = self._read_until("ok")
            self._take_events(page["events"])
            last = max([last, *(event["message"]["seq"] for event in page["events"])])
            if not page["more"]:
                break
        if joined["recovered"]:
            self._take_events(joined["events"])
        self.socket.close()
        different = len(set(self.received))
        return ReturnResult(
            close_code=code,
            recovered=joined["recovered"],
            missing_after=messages - different,
            received_twice=len(self.received) - different,
        )

    # --- the socket

    def _connect(self, join: dict[str, Any]) -> None:
        self._buffer, self._frames = b"", list[dict[str, Any]]()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SOCKET_TIMEOUT_SECONDS)
        self.socket.connect(self.target.address.path)
        headers = {"Origin": "http://localhost", "Cookie": f"sessionid={self.target.cookies[-1]}"}
        request = build_request("localhost", self.target.path, headers, [SUBPROTOCOL])
        self.socket.sendall(request.data)
        received = b""
        while (rest := parse_response(received, request.accept)) is None:
            received += self.socket.recv(4096)
        self._buffer = rest
        self._send("hello", 1, client="bench")
        self._send("join", 2, room=CHAT_ROOM, **join)

    def _send(self, type: str, id: int, **fields: Any) -> None:
        self.socket.sendall(build_frame(build_command(type, id, **fields)))

    def _read(self, size: int) -> bool:
        """Read up to so many bytes; return whether there were any."""
        chunk = self.socket.recv(size)
        data = self._buffer + chunk
        frames, consumed = parse_frames(data)
        self._buffer = data[consumed:]
        for frame in frames:
            if frame.opcode == CLOSE:
                self.close_code = frame.close_code
            elif frame.opcode == TEXT:
                self._take_frame(json.loads(frame.payload))
        return bool(chunk)

    def _take_frame(self, frame: dict[str, Any]) -> None:
        self._frames.append(frame)
        if frame["type"] == "joined":
            self.epoch, self.seq = frame["epoch"], frame["head"]
        elif frame["type"] == "events":
            self._take_events(frame["events"])
            self.seq = frame["events"][-1]["seq"]

    def _take_events(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["kind"] == "message" and (tag := self.tagger.read_text(event["message"]["body"])):
                self.received.append(tag)

    def _read_until(self, kind: str) -> dict[str, Any]:
        """Read until there is a frame of this type; return it, and forget the frames before it."""
        while True:
            for place, frame in enumerate(self._frames):
                if frame["type"] == "error":
                    raise RuntimeError(f"the server refused a command: {frame}")
                if frame["type"] == kind:
                    del self._frames[: place + 1]
                    return frame
            if not self._read(65_536):
                raise RuntimeError(f"the server closed the connection before it sent {kind}")
