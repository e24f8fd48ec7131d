"""What a whole room does: comes in, talks at a pace or as fast as it can, is sent away."""

import socket
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from loadtest.bench import message
from loadtest.bench.client.crowd import Crowd
from loadtest.bench.client.dialects import DIALECTS
from loadtest.bench.client.lines import Address, Ended
from loadtest.bench.percentiles import summary

LEAD = 1 / 1000  # seconds; epoll rounds its timeout up to the next millisecond, so the last one is spun away
SILENCE = 2.0  # seconds without a delivery after which nothing more is expected
BEHIND = 2.0  # seconds that messages may queue up, or half of that at the median, before a pace is too much
PATIENCE = 20.0  # seconds for everything said to arrive
DELIVERED = 0.95  # of a message's deliveries, after which the window moves on


@dataclass(frozen=True)
class Plan:
    """A room of one contender."""

    dialect: str
    address: Address
    path: str
    members: int
    senders: int
    listeners: int  # the first so many members want the messages; the others are only there
    cookies: list[str] = field(default_factory=list)  # handed round
    post_to: Address | None = None  # where messages are posted by HTTP, if not by the members
    text_bytes: int = message.TEXT_BYTES  # of one message

    @classmethod
    def read(cls, fields: dict[str, Any]) -> "Plan":
        """From JSON."""
        addresses = {name: Address(**fields[name]) for name in ("address", "post_to") if fields.get(name)}
        return cls(**{**fields, **addresses})

    def request(self, index: int) -> bytes:
        """The handshake of one member."""
        scheme = "https" if self.address.tls else "http"
        lines = [
            f"GET {self.path} HTTP/1.1",
            "Host: localhost",
            f"Origin: {scheme}://localhost",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        if protocol := DIALECTS[self.dialect].subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        if self.cookies:
            lines.append(f"Cookie: sessionid={self.cookies[index % len(self.cookies)]}")
        return "\r\n".join([*lines, "", ""]).encode()


class Room:
    """A crowd with a plan. Every method returns what it measured."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dialect = DIALECTS[plan.dialect]
        self.crowd = Crowd(self.dialect, plan.senders)
        self.poster = Poster(plan.post_to, self.crowd) if plan.post_to else None
        self.tried = self.said = 0

    # --- coming in

    def enter(self, members: int, at_once: int, patience: float) -> dict[str, Any]:
        """Bring the room up to so many members, at most `at_once` on the way in at a time. Nobody tries twice."""
        crowd, began = self.crowd, time.monotonic()
        for _ in self._until(began + patience):
            while self.tried < members and len(crowd.members) - crowd.ready - crowd.gone < at_once:
                request, listens = self.plan.request(self.tried), self.tried < self.plan.listeners
                self.tried += 1
                try:
                    crowd.add(self.plan.address, request, listens=listens)
                except OSError as error:
                    crowd.closed[type(error).__name__] += 1
            if self.tried == members and len(crowd.members) == crowd.ready + crowd.gone:
                break
        return {
            "seconds": time.monotonic() - began,
            "ready": crowd.ready,
            "closed": dict(crowd.closed),
            "complaints": dict(crowd.complaints.most_common(3)),
        }

    def idle(self, seconds: float) -> dict[str, Any]:
        """Only listen: pings are answered."""
        for _ in self._until(time.monotonic() + seconds):
            pass
        return {"ready": self.crowd.ready}

    # --- talking

    def fixed(self, rate: float, seconds: float) -> dict[str, Any]:
        """An open loop: a message leaves when it is due, however many are still on their way."""
        crowd, number = self.crowd, max(1, round(rate * seconds))
        most_waiting = max(30.0, BEHIND * rate)
        tally = Tally(self)
        crowd.delays = array("q")
        start = time.monotonic_ns() + 10_000_000
        overloaded = False
        for count in range(number):
            due = start + round(count * 1e9 / rate)
            while (left := (due - time.monotonic_ns()) / 1e9) > 0:
                crowd.turn(max(0.0, left - LEAD))
            if overloaded := (self.said - tally.said) - tally.messages_delivered() > most_waiting:
                break
            self._say(due)
            crowd.turn(0)
        self._await_all(tally)
        delays, crowd.delays = crowd.delays, None
        latency = summary(delays, per=1e6)
        overloaded |= latency.get("p50", 0.0) > BEHIND * 1e3 / 2
        return tally.result(rate=rate, overloaded=overloaded, latency_ms=latency)

    def saturate(self, seconds: float, window: int) -> dict[str, Any]:
        """As fast as it goes with `window` messages on their way; one is through when almost everybody has it."""
        crowd = self.crowd
        tally = Tally(self)
        enough = DELIVERED * self.plan.listeners
        through, last_count, last_change = self.said, -1, time.monotonic()
        for now in self._until(time.monotonic() + seconds):
            while self.said - through < window:
                self._say(time.monotonic_ns())
            while through < self.said and crowd.arrived[through] >= enough:
                through += 1
            if crowd.deliveries != last_count:
                last_count, last_change = crowd.deliveries, now
            elif now - last_change > SILENCE:  # what was lost would hold up the rest for good
                through = self.said
        self._await_all(tally)
        return tally.result(window=window)

    def _say(self, moment: int) -> None:
        text = message.text(self.said, moment, self.plan.text_bytes)
        payload = self.dialect.publish(text)
        self.crowd.arrived.append(0)
        if self.poster:
            self.poster.say(payload)
        else:
            self.crowd.say(self.crowd.members[self.said % self.plan.senders], payload)
        self.said += 1

    def _await_all(self, tally: "Tally") -> None:
        """Until everything said is delivered, or nothing comes any more."""
        deadline = time.monotonic() + PATIENCE
        last_count = -1
        while (now := time.monotonic()) < deadline and (last_count < 0 or not tally.is_complete()):
            if self.crowd.deliveries != last_count:
                last_count = self.crowd.deliveries
                tally.touch()
            elif now - tally.ended > SILENCE:
                return
            self.crowd.turn(0.05)
        if tally.is_complete():
            tally.touch()

    # --- being sent away

    def farewell(self, seconds: float) -> dict[str, Any]:
        """Listen until everybody has been sent away, or the time is over."""
        crowd, there, before = self.crowd, self.crowd.ready, len(self.crowd.closing_times)
        for _ in self._until(time.monotonic() + seconds):
            if not crowd.ready:
                break
        times = crowd.closing_times[before:]
        return {
            "there": there,
            "left": crowd.ready,
            "closed": dict(crowd.closed),
            "goodbyes": crowd.goodbyes,
            "spread_seconds": times[-1] - times[0] if times else 0.0,
        }

    def leave(self) -> dict[str, Any]:
        self.crowd.leave()
        return {}

    def _until(self, deadline: float) -> Iterator[float]:
        while (now := time.monotonic()) < deadline:
            self.crowd.turn(min(0.05, deadline - now))
            yield now


class Tally:
    """What happened from its making on."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.said = room.said
        crowd = room.crowd
        crowd.complaints.clear()
        self.before = (crowd.deliveries, crowd.frames, crowd.bytes)
        self.began, self.busy_before = time.monotonic(), time.process_time()
        self.touch()

    def touch(self) -> None:
        """Something came a moment ago: what is measured ends here at the earliest."""
        self.ended, self.busy = time.monotonic(), time.process_time()

    def messages_delivered(self) -> float:
        crowd = self.room.crowd
        once = crowd.deliveries - self.before[0] - crowd.oracle.duplicate - crowd.oracle.stale
        return once / self.room.plan.listeners

    def is_complete(self) -> bool:
        return self.messages_delivered() >= self.room.said - self.said

    def result(self, **more: Any) -> dict[str, Any]:
        """Settle, and tell."""
        seconds = self.ended - self.began
        crowd = self.room.crowd
        crowd.oracle.settle((line.track for line in crowd.members if line.listens and line.ready), self.room.said)
        deliveries, frames, received = (
            now - then for now, then in zip((crowd.deliveries, crowd.frames, crowd.bytes), self.before, strict=True)
        )
        return {
            "messages": self.room.said - self.said,
            "deliveries": deliveries,
            "frames": frames,
            "bytes": received,
            "seconds": seconds,
            "client_busy": (self.busy - self.busy_before) / seconds,
            "ready": crowd.ready,
            "complaints": dict(crowd.complaints.most_common(3)),
            **crowd.oracle.take_counts(),
            **more,
        }


class Poster:
    """Posts messages over one kept-alive HTTP connection."""

    def __init__(self, address: Address, crowd: Crowd) -> None:
        self.crowd = crowd
        self.socket = address.socket()
        self.socket.setblocking(True)

    def say(self, request: bytes) -> None:
        self.socket.sendall(request)
        try:
            answer = self.socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not answer:
            raise Ended
        if not answer.startswith(b"HTTP/1.1 20"):
            self.crowd.complaints[answer[:200].decode(errors="replace")] += 1


COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    name: getattr(Room, name) for name in ("enter", "idle", "fixed", "saturate", "farewell", "leave")
}
