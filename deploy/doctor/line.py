"""One connection, and WebSocket frames on it, by hand: how it ends is the evidence."""

import json
import os
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import Any

BODY = 512 * 1024  # bytes of an answer that are read at most


class Ended(OSError):
    """The other side closed the connection."""


@dataclass(frozen=True)
class Heard:
    """What came next on a socket: a text, a close with its code, or an end without one."""

    kind: str
    """text, binary, pong, close, ended, silence"""
    data: bytes = b""
    code: int = 0
    seconds: float = 0

    @property
    def json(self) -> dict[str, Any]:
        try:
            said = json.loads(self.data)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def __str__(self) -> str:
        if self.kind == "close":
            return f"close {self.code} {self.data.decode(errors='replace')}".rstrip()
        if self.json.get("type") == "bye":
            return f"bye {self.json.get('code')}: {self.json.get('reason')}"
        if self.kind in ("text", "binary"):
            return self.data[:160].decode(errors="replace")
        return {"ended": "the connection ended without a close frame", "silence": "no answer"}.get(self.kind, self.kind)


class Line:
    """One connection with what was read too much."""

    def __init__(self, line: socket.socket, patience: float) -> None:
        self.socket, self.patience = line, patience
        self.rest = b""
        self.deadline = time.monotonic() + patience

    def wait(self, seconds: float | None = None) -> None:
        """From now on answers are waited for this long."""
        self.deadline = time.monotonic() + (self.patience if seconds is None else seconds)

    def more(self) -> None:
        self.socket.settimeout(max(0.001, self.deadline - time.monotonic()))
        data = self.socket.recv(65536)
        if not data:
            raise Ended("the connection ended")
        self.rest += data

    def until(self, mark: bytes, limit: int) -> bytes:
        while mark not in self.rest:
            if len(self.rest) > limit:
                raise ValueError("too long")
            self.more()
        found, _, self.rest = self.rest.partition(mark)
        return found

    def exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            self.more()
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def to_the_end(self, limit: int) -> bytes:
        try:
            while len(self.rest) < limit:
                self.more()
        except (Ended, ssl.SSLError):
            pass
        return self.exactly(min(limit, len(self.rest)))

    def say(self, data: str | bytes, opcode: int = 1) -> None:
        """One masked frame. Raises OSError."""
        body, mask = data.encode() if isinstance(data, str) else data, os.urandom(4)
        size = len(body)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        self.socket.settimeout(self.patience)
        self.socket.sendall(head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(body)))

    def hear(self, seconds: float | None = None) -> Heard:
        """The next frame that is not a ping, which is answered. Never raises for what the other side does."""
        began = time.monotonic()
        self.wait(seconds)
        try:
            while True:
                opcode, data = self.frame()
                if opcode == 9:
                    self.say(data, 10)
                    continue
                took = time.monotonic() - began
                if opcode == 8:
                    code = int.from_bytes(data[:2], "big") if len(data) > 1 else 1005
                    return Heard("close", data[2:], code, took)
                return Heard({1: "text", 2: "binary", 10: "pong"}.get(opcode, "binary"), data, 0, took)
        except TimeoutError:
            return Heard("silence", seconds=time.monotonic() - began)
        except (OSError, ValueError):
            return Heard("ended", seconds=time.monotonic() - began)

    def frame(self) -> tuple[int, bytes]:
        first, second = self.exactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self.exactly(2 if size == 126 else 8), "big")
        if size > BODY:
            raise ValueError("a frame too large for us")
        return first & 0x0F, self.exactly(size)

    def close(self) -> None:
        self.socket.close()
