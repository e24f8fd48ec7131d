"""One member who reads a thousand bytes a second in a busy room: it is let go, and the others do not notice."""

import json
import socket
import time
from typing import Any

from loadtest import frames
from loadtest.bench import message
from loadtest.bench.client.dialects import ROOM
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.contender import Target
from loadtest.bench.contenders.parley import Parley
from loadtest.bench.measure import fill
from loadtest.bench.programs import Programs

RATE = 15.0  # messages a second
TEXT_BYTES = 3_500  # long ones: the server's cap of 1 MiB is reached within half a minute
BYTES_A_SECOND = 1_024
PAGE = 100
PATIENCE = 30


def slow_reader(*, quick: bool, size: int | None, seconds: float | None) -> list[dict[str, Any]]:
    """A row without the slow one, and a row with it."""
    return [room(size or 1_000, seconds or (30 if quick else 45), slow=slow) for slow in (False, True)]


def room(size: int, seconds: float, *, slow: bool) -> dict[str, Any]:
    with Programs() as programs:
        target = Parley(unix=True).start(programs, size + 1)
        with Client(target, size, text_bytes=TEXT_BYTES) as client:
            fill(programs, client, size)
            reader = Reader(target) if slow else None
            before = programs.usage()["server"].rss
            client.begin("fixed", rate=RATE, seconds=seconds)
            if reader:
                reader.read_slowly(seconds)
            result = client.answer()
            row = {
                "slow_reader": slow,
                "others": size,
                "messages": result["messages"],
                "overloaded": result["overloaded"],
                "p50_ms": result["latency_ms"]["p50"],
                "p99_ms": result["latency_ms"]["p99"],
                "rss_growth_kib": (programs.usage()["server"].rss - before) / 1024,
                "lost": result["lost"],
                "client_busy": result["client_busy"],
            }
            if reader:
                row |= reader.come_back(result["messages"])
            return row


class Reader:
    """A member of its own, blocking, that keeps what it has read."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.seen: list[int] = []  # numbers of messages, as they came
        self.epoch, self.seq = "", 0
        self.code: int | None = None
        self._connect({"type": "join", "id": 2, "room": ROOM})
        self._until("joined")
        self.seen.clear()

    # --- reading

    def read_slowly(self, seconds: float) -> None:
        """A little every tenth of a second, until the time is over or the server has closed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.code is None:
            self._read(BYTES_A_SECOND // 10)
            time.sleep(0.1)

    def come_back(self, messages: int) -> dict[str, Any]:
        """Read on to the close frame, if there is one; join again from where we were, and see what is missing."""
        self.socket.settimeout(2)
        try:
            while self.code is None and self._read(65_536):
                pass
        except TimeoutError:
            pass
        code, self.code = self.code, None
        self.socket.close()
        self._connect({"type": "join", "id": 2, "room": ROOM, "since": {"epoch": self.epoch, "seq": self.seq}})
        last = self.seq
        joined = self._until("joined")
        while not joined["recovered"]:  # too far behind to be told everything at once: page by page
            self._say({"type": "history", "id": 3, "room": ROOM, "after": last, "limit": PAGE})
            page = self._until("ok")
            self._take(page["events"])
            last = max([last, *(event["message"]["seq"] for event in page["events"])])
            if not page["more"]:
                break
        if joined["recovered"]:
            self._take(joined["events"])
        self.socket.close()
        return {
            "close_code": code,
            "recovered": joined["recovered"],
            "missing_after": messages - len(set(self.seen)),
            "twice": len(self.seen) - len(set(self.seen)),
        }

    # --- the socket

    def _connect(self, join: dict[str, Any]) -> None:
        self.rest, self.frames = b"", list[dict[str, Any]]()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(self.target.address.path)
        request = [
            f"GET {self.target.path} HTTP/1.1",
            "Host: localhost",
            "Origin: http://localhost",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: parley.v1",
            f"Cookie: sessionid={self.target.cookies[-1]}",
        ]
        self.socket.sendall("\r\n".join([*request, "", ""]).encode())
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        self.rest = self.rest.partition(b"\r\n\r\n")[2]
        self._say({"type": "hello", "id": 1, "client": "bench"})
        self._say(join)

    def _say(self, command: dict[str, Any]) -> None:
        self.socket.sendall(frames.build(json.dumps(command).encode()))

    def _read(self, size: int) -> bool:
        """Take up to so many bytes; returns whether there was anything."""
        chunk = self.socket.recv(size)
        whole, taken = frames.split(self.rest + chunk)
        self.rest = (self.rest + chunk)[taken:]
        for frame in whole:
            if frame.opcode == frames.CLOSE:
                self.code = frame.close_code
            elif frame.opcode == frames.TEXT:
                self._hear(json.loads(frame.payload))
        return bool(chunk)

    def _hear(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if frame["type"] == "joined":
            self.epoch, self.seq = frame["epoch"], frame["head"]
        elif frame["type"] == "events":
            self._take(frame["events"])
            self.seq = frame["events"][-1]["seq"]

    def _take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["kind"] == "message":
                self.seen += [number for number, _ in message.found_in(event["message"]["body"].encode())]

    def _until(self, kind: str) -> dict[str, Any]:
        """Read until there is a frame of this type; it and what came before it is then forgotten."""
        while True:
            for place, frame in enumerate(self.frames):
                if frame["type"] == "error":
                    raise RuntimeError(f"the server refuses: {frame}")
                if frame["type"] == kind:
                    del self.frames[: place + 1]
                    return frame
            if not self._read(65_536):
                raise RuntimeError(f"the server hung up before it said {kind}")
