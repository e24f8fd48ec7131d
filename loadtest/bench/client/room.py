"""What a whole room does: its members connect, send at a rate or as fast as possible, and are disconnected."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from loadtest.bench.address import Address
from loadtest.bench.client.member_loop import BUCKET_SHIFT, MemberLoop
from loadtest.bench.client.protocols import PROTOCOLS
from loadtest.bench.message import TEXT_CHARACTERS, make_tagger
from loadtest.core.handshake import ConnectionClosed, HandshakeRequest, build_request
from loadtest.core.latency import LatencyHistogram, LatencySummary
from loadtest.core.message_tag import MessageTag

TIMER_SLACK_SECONDS = 1 / 1000  # epoll rounds its timeout up to the next millisecond, so the last one is spun away
SILENCE_SECONDS = 2.0  # without a delivery, after which no more are expected
MAX_BACKLOG_SECONDS = 2.0  # of messages on their way, or twice the median latency, above which a rate is too high
DELIVERY_TIMEOUT_SECONDS = 20.0  # for all messages to arrive
DELIVERED_SHARE = 0.95  # of a message's deliveries, after which the window moves on
POLL_SECONDS = 0.05


class ConnectResult(TypedDict):
    """How the members connected."""

    seconds: float
    ready: int
    closed: dict[str, int]
    problems: dict[str, int]


class TalkResult(TypedDict):
    """What the client measured while the room talked."""

    messages: int
    deliveries: int
    frames: int
    bytes: int
    seconds: float
    client_busy: float  # share of a core
    ready: int
    problems: dict[str, int]
    lost: int
    duplicated: int
    out_of_order: int
    phantom: int
    stale: int
    rate: NotRequired[float]  # messages a second, of a fixed rate
    overloaded: NotRequired[bool]  # the server did not keep up with the rate
    latency_ms: NotRequired[LatencySummary | None]
    window: NotRequired[int]  # messages on their way, at saturation


class CloseResult(TypedDict):
    """How the server disconnected the members."""

    connected: int
    remaining: int
    closed: dict[str, int]
    closed_after_bye: int
    spread_seconds: float  # from the first close to the last


@dataclass(frozen=True)
class ClientPlan:
    """What the client program has to know of the room of one contender."""

    protocol: str  # a name in PROTOCOLS
    address: Address
    path: str
    members: int
    senders: int
    listeners: int  # the first so many members want the messages; the others are only connected
    cookies: list[str] = field(default_factory=list)  # sessions, used in turn
    post_to: Address | None = None  # where messages are published by HTTP, if the members do not send them
    characters: int = TEXT_CHARACTERS  # of a message's text

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "ClientPlan":
        """Return the plan that `dataclasses.asdict` has turned into JSON."""
        addresses = {name: Address(**fields[name]) for name in ("address", "post_to") if fields.get(name)}
        return cls(**{**fields, **addresses})

    def build_request(self, index: int) -> HandshakeRequest:
        """Return the handshake of the member with this index."""
        headers = {"Origin": f"{'https' if self.address.tls else 'http'}://localhost"}
        if self.cookies:
            headers["Cookie"] = f"sessionid={self.cookies[index % len(self.cookies)]}"
        subprotocol = PROTOCOLS[self.protocol].subprotocol
        return build_request("localhost", self.path, headers, [subprotocol] if subprotocol else [])


class Room:
    """The members of one room. Each command of the client program is a method, and returns what it measured."""

    def __init__(self, plan: ClientPlan) -> None:
        self.plan = plan
        self.protocol = PROTOCOLS[plan.protocol]
        self.tagger = make_tagger(plan.characters)
        self.loop = MemberLoop(self.protocol, plan.senders, self.tagger)
        self.publisher = HttpPublisher(plan.post_to, self.loop) if plan.post_to else None
        self.tried = self.sent = 0

    # --- connecting

    def connect(self, members: int, max_connecting: int, timeout: float) -> ConnectResult:
        """Fill the room up to so many members. No member tries twice.

        Args:
            members: with those that are connected already.
            max_connecting: members that are connecting at the same time.
            timeout: seconds.
        """
        loop, started = self.loop, time.monotonic()
        for _ in self._run_until(started + timeout):
            while self.tried < members and len(loop.members) - loop.ready - loop.lost_members < max_connecting:
                request, listens = self.plan.build_request(self.tried), self.tried < self.plan.listeners
                self.tried += 1
                try:
                    loop.add_member(self.plan.address, request, listens=listens)
                except OSError as error:
                    loop.closed[type(error).__name__] += 1
            if self.tried == members and len(loop.members) == loop.ready + loop.lost_members:
                break
        return ConnectResult(
            seconds=time.monotonic() - started,
            ready=loop.ready,
            closed=dict(loop.closed),
            problems=dict(loop.problems.most_common(3)),
        )

    def idle(self, seconds: float) -> ConnectResult:
        """Only listen; pings are answered."""
        for _ in self._run_until(time.monotonic() + seconds):
            pass
        return ConnectResult(seconds=seconds, ready=self.loop.ready, closed=dict(self.loop.closed), problems={})

    # --- sending

    def fixed_rate(self, rate: float, seconds: float) -> TalkResult:
        """Send so many messages a second. An open loop: a message leaves when it is due, whatever is on its way."""
        loop, number = self.loop, max(1, round(rate * seconds))
        max_backlog = max(30.0, MAX_BACKLOG_SECONDS * rate)
        totals = TalkTotals(self)
        loop.start_latencies()
        start = time.monotonic_ns() + 10_000_000
        overloaded = False
        for count in range(number):
            due_at = start + round(count * 1e9 / rate)
            while (left := (due_at - time.monotonic_ns()) / 1e9) > 0:
                loop.run_once(max(0.0, left - TIMER_SLACK_SECONDS))
            if overloaded := (self.sent - totals.sent) - totals.messages_delivered() > max_backlog:
                break
            self._send_message(due_at)
            loop.run_once(0)
        self._await_deliveries(totals)
        result = totals.take()
        latencies = LatencyHistogram()
        latencies.add_buckets(loop.take_latencies(), BUCKET_SHIFT)
        summary = latencies.summarize()
        overloaded |= summary is not None and summary["p50"] > MAX_BACKLOG_SECONDS * 1e3 / 2
        return {**result, "rate": rate, "overloaded": overloaded, "latency_ms": summary}

    def saturate(self, seconds: float, window: int) -> TalkResult:
        """Keep `window` messages on their way; the next one leaves when DELIVERED_SHARE of the members have one."""
        loop = self.loop
        totals = TalkTotals(self)
        enough = DELIVERED_SHARE * self.plan.listeners
        through, last_count, last_change = self.sent, -1, time.monotonic()
        loop.counts_arrivals = True
        for now in self._run_until(time.monotonic() + seconds):
            while self.sent - through < window:
                self._send_message(time.monotonic_ns())
            while through < self.sent and self._arrivals_of(through) >= enough:
                through += 1
            if loop.counts.deliveries != last_count:
                last_count, last_change = loop.counts.deliveries, now
            elif now - last_change > SILENCE_SECONDS:  # lost deliveries would block the window for ever
                through = self.sent
        loop.counts_arrivals = False
        self._await_deliveries(totals)
        return {**totals.take(), "window": window}

    def _send_message(self, due_at: int) -> None:
        number, sender = divmod(self.sent, self.plan.senders)
        text = self.tagger.build_text(MessageTag(sender, number, due_at))
        payload = self.protocol.build_publish(text.encode())
        self.loop.arrivals[str(sender)].append(0)
        if self.publisher:
            self.publisher.publish(payload)
        else:
            self.loop.send_from(self.loop.members[sender], payload)
        self.sent += 1

    def _arrivals_of(self, message: int) -> int:
        number, sender = divmod(message, self.plan.senders)
        return self.loop.arrivals[str(sender)][number]

    def _await_deliveries(self, totals: "TalkTotals") -> None:
        """Wait until all messages are delivered, or no more arrive."""
        deadline = time.monotonic() + DELIVERY_TIMEOUT_SECONDS
        last_count = -1
        while (now := time.monotonic()) < deadline and (last_count < 0 or not totals.is_complete()):
            if self.loop.counts.deliveries != last_count:
                last_count = self.loop.counts.deliveries
                totals.extend()
            elif now - totals.ended > SILENCE_SECONDS:
                return
            self.loop.run_once(POLL_SECONDS)
        if totals.is_complete():
            totals.extend()

    # --- being disconnected

    def await_close(self, seconds: float) -> CloseResult:
        """Listen until the server has closed all connections, or the time is over."""
        loop, connected, before = self.loop, self.loop.ready, len(self.loop.close_times)
        for _ in self._run_until(time.monotonic() + seconds):
            if not loop.ready:
                break
        times = loop.close_times[before:]
        return CloseResult(
            connected=connected,
            remaining=loop.ready,
            closed=dict(loop.closed),
            closed_after_bye=loop.closed_after_bye,
            spread_seconds=times[-1] - times[0] if times else 0.0,
        )

    def disconnect(self) -> ConnectResult:
        """Close all connections."""
        self.loop.disconnect()
        return ConnectResult(seconds=0.0, ready=0, closed=dict(self.loop.closed), problems={})

    def _run_until(self, deadline: float) -> Iterator[float]:
        while (now := time.monotonic()) < deadline:
            self.loop.run_once(min(POLL_SECONDS, deadline - now))
            yield now


class TalkTotals:
    """What happens from the moment it is made.

    Attributes:
        ended: when the last delivery arrived, by time.monotonic: what is measured ends there.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.sent = room.sent
        loop = room.loop
        loop.problems.clear()
        loop.counts.take()
        self._before = (loop.frames, loop.bytes)
        self._started, self._busy_before = time.monotonic(), time.process_time()
        self.extend()

    def extend(self) -> None:
        """Note that something has arrived just now."""
        self.ended, self._busy = time.monotonic(), time.process_time()

    def messages_delivered(self) -> float:
        """Return how many messages all listeners have, on average."""
        counts = self.room.loop.counts
        return (counts.deliveries - counts.duplicated - counts.stale) / self.room.plan.listeners

    def is_complete(self) -> bool:
        """Return whether every message has been delivered."""
        return self.messages_delivered() >= self.room.sent - self.sent

    def take(self) -> TalkResult:
        """Judge what is missing, and return the totals."""
        loop, seconds = self.room.loop, self.ended - self._started
        lost = loop.finalize(self.room.sent)
        counts = loop.counts.take()
        return TalkResult(
            deliveries=counts["deliveries"],
            duplicated=counts["duplicated"],
            out_of_order=counts["out_of_order"],
            phantom=counts["phantom"],
            stale=counts["stale"],
            messages=self.room.sent - self.sent,
            frames=loop.frames - self._before[0],
            bytes=loop.bytes - self._before[1],
            seconds=seconds,
            client_busy=(self._busy - self._busy_before) / seconds,
            ready=loop.ready,
            problems=dict(loop.problems.most_common(3)),
            lost=lost,
        )


class HttpPublisher:
    """Publishes messages over one HTTP connection that is kept alive."""

    def __init__(self, address: Address, loop: MemberLoop) -> None:
        self.loop = loop
        self.socket = address.start_connecting()
        self.socket.setblocking(True)

    def publish(self, request: bytes) -> None:
        """Send a request; note earlier responses that say that one failed.

        Raises:
            ConnectionClosed: the server has ended the connection.
        """
        self.socket.sendall(request)
        try:
            answer = self.socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not answer:
            raise ConnectionClosed
        if not answer.startswith(b"HTTP/1.1 20"):
            self.loop.problems[answer[:200].decode(errors="replace")] += 1


COMMANDS: dict[str, Callable[..., ConnectResult | TalkResult | CloseResult]] = {
    "connect": Room.connect,
    "idle": Room.idle,
    "fixed_rate": Room.fixed_rate,
    "saturate": Room.saturate,
    "await_close": Room.await_close,
    "disconnect": Room.disconnect,
}
