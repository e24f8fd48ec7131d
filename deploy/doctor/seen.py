"""What the probes have seen; the causes judge it and ask nothing themselves."""

import json
import ssl
from dataclasses import dataclass, field
from typing import Any

from deploy.doctor.inside.seen import Inside
from deploy.doctor.line import Heard
from deploy.doctor.wire import Reply, Target


@dataclass
class Asked:
    """What the operator wants to know."""

    host: str
    port: int
    http_port: int | None
    ws_path: str = "/ws/"
    page: str = "/"
    """The page whose scripts open the sockets."""
    addresses: tuple[str, ...] = ()
    """Instead of those that the name has."""
    ca: str | None = None
    insecure: bool = False
    patience: float = 5
    """Seconds for each answer."""
    hold: float = 0
    """Seconds without a word from us."""
    frame: int = 0
    """Bytes of a message that has to get through; 0: none is sent."""
    private_ports: tuple[int, ...] = (6379, 5432)
    """Ports that nobody outside may reach."""
    cookie: str = field(default="", repr=False)
    room: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(part for part in (self.cookie, self.cookie.partition("=")[2]) if part)


@dataclass
class Tls:
    """One handshake. `error` is empty, a word of wire.error_word(), or what OpenSSL said."""

    error: str = ""
    code: int = 0
    """OpenSSL's number of what is wrong with the certificate."""
    version: str = ""
    alpn: str | None = None
    chosen_with_h2: str | None = None
    """What the server picks when h2 is offered as well."""
    days: float | None = None
    names: tuple[str, ...] = ()


@dataclass
class Seen:
    """Filled hop by hop; what was not asked is None or empty."""

    asked: Asked
    trust: ssl.SSLContext
    addresses: list[str] = field(default_factory=list)
    name_error: str = ""
    tcp: dict[str, str] = field(default_factory=dict)
    """address -> error word, empty where somebody answers."""
    open_ports: list[str] = field(default_factory=list)
    tls: dict[str, Tls] = field(default_factory=dict)
    plain: Reply | None = None
    pages: list[Reply] = field(default_factory=list)
    """The first page and where it redirected."""
    scripts: dict[str, str] = field(default_factory=dict)
    clock: float | None = None
    """Seconds by which the server's clock is ahead of ours."""
    sentinel: Reply | None = None
    forged: Reply | None = None
    handshake: Reply | None = None
    stranger: Reply | None = None
    """A handshake from a page of somebody else."""
    hello: Heard | None = None
    ready: Reply | None = None
    large: Heard | None = None
    """What came back for the large frame."""
    chat: Heard | None = None
    joined: Heard | None = None
    round_trip: Heard | None = None
    hold: Heard | None = None
    pong: Heard | None = None
    close: Heard | None = None
    inside: Inside | None = None

    @property
    def working(self) -> list[str]:
        return [address for address, error in self.tcp.items() if not error]

    def target(self, address: str = "") -> Target:
        """The site as a browser reaches it, at the first address that answers unless another is given."""
        return Target(self.asked.host, self.asked.port, address or self.working[0], self.trust)

    @property
    def report(self) -> dict[str, Any]:
        """What our own 426 says; empty where the site has none."""
        return probe(self.sentinel)

    @property
    def engine_io(self) -> dict[str, Any]:
        """What Socket.IO's engine says first: its session, its ping in ms. Empty where it is something else."""
        said = self.hello.data if self.hello and self.hello.kind == "text" else b""
        try:
            opened = json.loads(said[1:]) if said.startswith(b"0{") else {}
        except ValueError:
            return {}
        return opened if isinstance(opened, dict) and "sid" in opened else {}

    @property
    def is_parley(self) -> bool:
        """Our own 426, and our protocol is spoken; Node's ws says yes to any protocol, so that alone tells nothing."""
        agreed = self.handshake.headers.get("sec-websocket-protocol") if self.handshake else None
        return bool(self.report) and agreed == "parley.v1"


def probe(reply: Reply | None) -> dict[str, Any]:
    """The JSON of a 426 that one of our own servers wrote."""
    said = reply.json if reply and reply.status == 426 else None
    return said if isinstance(said, dict) and said.get("hop") in ("asgi", "wsgi") else {}
