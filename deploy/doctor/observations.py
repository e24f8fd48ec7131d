"""What the probes have observed. The causes judge it and send no request themselves.

`Options` says what the operator asked for, `Observations` what was seen from outside, and `HostObservations` what was
seen on the host itself. The probes fill them hop by hop; what was not probed is None or empty.
"""

import json
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.doctor.host.nginx_config import NginxConfig
from deploy.doctor.http_client import Reply, Target
from deploy.doctor.ws_client import SUBPROTOCOL, Handshake, Received


@dataclass
class Options:
    """What the operator asked for on the command line."""

    host: str
    """The site's name."""
    port: int
    http_port: int | None
    """The port of plain HTTP; None when it is not known."""
    ws_path: str = "/ws/"
    subprotocol: str = ""
    """Offered in each handshake; empty: that of the chat."""
    origin: str = ""
    """The Origin of each handshake; empty: that of the site."""
    handshake_cookie: str = field(default="", repr=False)
    """The Cookie header of each handshake, for a site that accepts no other; empty: none."""
    page_path: str = "/"
    """The page whose scripts open the WebSockets."""
    addresses: tuple[str, ...] = ()
    """Connect to these addresses instead of those that DNS has for the name."""
    ca_file: str | None = None
    """PEM file of the authorities to trust instead of the system's."""
    trust_any_certificate: bool = False
    timeout: float = 5
    """Seconds for each answer."""
    hold_seconds: float = 0
    """How long to keep a WebSocket silent; 0: the hop is not probed."""
    frame_bytes: int = 0
    """Size of a message that has to get through; 0: none is sent."""
    private_ports: tuple[int, ...] = (6379, 5432)
    """Ports that must not answer on public addresses."""
    cookie: str = field(default="", repr=False)
    """Cookie header of a session that is signed in; empty: the chat is not probed."""
    room: str = ""
    """A room of which that account is a member."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not appear in a report."""
        values = [cookie.partition("=")[2] for cookie in self.handshake_cookie.split(";")]
        texts = (self.cookie, self.cookie.partition("=")[2], self.handshake_cookie, *values)
        return tuple(text for text in texts if text)


@dataclass
class TlsHandshake:
    """The TLS handshake with one address."""

    error: str = ""
    """Empty when it succeeded; a kind of `http_client.classify_error`, or OpenSSL's text."""
    verify_code: int = 0
    """OpenSSL's number of the error in the certificate (X509_V_ERR_*); 0: there is none."""
    version: str = ""
    alpn: str | None = None
    """The protocol that the server chose when http/1.1 alone was offered."""
    alpn_with_h2: str | None = None
    """The protocol that the server chose when h2 was offered as well."""
    days_left: float | None = None
    """Days until the certificate ends; None when it was not verified."""
    names: tuple[str, ...] = ()
    """The names for which the certificate is valid."""


@dataclass(frozen=True)
class UpgradeProbe:
    """The JSON of the stack's answer 426 to a plain GET of the WebSocket path: which program was reached, and how."""

    hop: str
    """`asgi` or `wsgi`."""
    upgrade: str | None = None
    """The Upgrade header that arrived."""
    connection: str | None = None
    """The Connection header that arrived."""
    host: str | None = None
    """The Host header that arrived."""
    forwarded_proto: str | None = None
    """The X-Forwarded-Proto header that arrived."""

    @classmethod
    def from_reply(cls, reply: Reply | None) -> "UpgradeProbe | None":
        """Return the answer; None when the reply is anything but such a 426."""
        content = reply.json if reply and reply.status == 426 else None
        if not isinstance(content, dict) or content.get("hop") not in ("asgi", "wsgi"):
            return None
        return cls(
            hop=content["hop"],
            upgrade=content.get("upgrade"),
            connection=content.get("connection"),
            host=content.get("host"),
            forwarded_proto=content.get("forwarded_proto"),
        )


@dataclass(frozen=True)
class EngineIoOpening:
    """The first packet of Socket.IO's transport, Engine.IO (protocol 4)."""

    ping_interval_seconds: float | None
    """How often the server pings; None when the packet does not say."""

    @classmethod
    def from_received(cls, received: Received | None) -> "EngineIoOpening | None":
        """Return the packet; None when something else was received."""
        if received is None or received.kind != "text" or not received.data.startswith(b"0{"):
            return None
        try:
            content = json.loads(received.data[1:])
        except ValueError:
            return None
        if not isinstance(content, dict) or "sid" not in content:
            return None
        milliseconds = content.get("pingInterval")
        return cls(milliseconds / 1000 if isinstance(milliseconds, int | float) else None)


@dataclass(frozen=True)
class ServerProcess:
    """A process that listens on the unix socket of an upstream."""

    pid: int
    command: str
    open_files: int
    """Open file descriptors."""
    max_open_files: int
    """The soft limit of open file descriptors."""


@dataclass
class HostObservations:
    """What only the host itself shows."""

    not_inspected: list[str] = field(default_factory=list)
    """What could not be inspected, and why; a sentence each."""
    nginx: NginxConfig | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """The variables of the servers of a site that the playbook has installed; empty for any other site."""
    units: str = ""
    """The pattern of that site's units; empty for any other site."""
    local_handshake: Reply | None = None
    """The answer to a WebSocket handshake at 127.0.0.1, which passes neither DNS nor a firewall."""
    upstream_handshakes: dict[str, Reply] = field(default_factory=dict)
    """Address of an upstream of the WebSocket path -> its answer to a handshake that does not pass nginx."""
    closed_to_nginx: dict[str, str] = field(default_factory=dict)
    """Path of a unix socket -> why nginx's account may not connect to it."""
    processes: dict[str, ServerProcess] = field(default_factory=dict)
    """Path of a unix socket of an upstream -> the process that listens on it."""
    started_at: float = field(default_factory=time.time)
    """Unix time at which the doctor began."""
    log_sizes: dict[Path, int] = field(default_factory=dict)
    """Log file -> its size in bytes when the doctor began."""
    earlier_lines: dict[str, list[str]] = field(default_factory=dict)
    """Log -> its last lines before the doctor began."""
    new_lines: dict[str, list[str]] = field(default_factory=dict)
    """Log -> the lines written since; those about the doctor's own requests are among them."""
    are_new_lines_outdated: bool = True
    """Whether a request was sent since the logs were read."""
    addresses_by_name: dict[str, list[str]] = field(default_factory=dict)
    """Host name to which nginx proxies -> the addresses that it has now."""
    redis_info: dict[str, str] = field(default_factory=dict)
    """The fields of Redis' answer to INFO; empty when Redis was not asked or does not answer."""
    redis_error: str = ""
    postgres: str = ""
    """`answers`, the error that PostgreSQL sends, or `no answer: ...`; empty when it was not asked."""
    versions: dict[str, str] = field(default_factory=dict)
    """Python package of the servers -> its version."""
    clock_synchronized: str = ""
    """`yes` or `no`; empty when timedatectl does not say."""
    selinux_mode: str = ""
    """The output of getenforce; empty where there is no SELinux."""


@dataclass
class Observations:
    """What was observed from outside, and in `host` what was observed on the host."""

    options: Options
    tls_context: ssl.SSLContext
    """For all requests: http/1.1 in ALPN, and the authorities to trust."""

    addresses: list[str] = field(default_factory=list)
    dns_error: str = ""
    tcp_errors: dict[str, str] = field(default_factory=dict)
    """Address -> kind of error, empty where the connection succeeds."""
    public_ports: list[str] = field(default_factory=list)
    """ADDRESS:PORT of each private port that accepts connections."""
    tls: dict[str, TlsHandshake] = field(default_factory=dict)
    """Address -> its TLS handshake."""

    http_reply: Reply | None = None
    """The answer of plain HTTP at `/`."""
    page_replies: list[Reply] = field(default_factory=list)
    """The answer at the page's path, and those to which it redirected."""
    scripts: dict[str, str] = field(default_factory=dict)
    """Path -> text of the page and of its scripts."""
    clock_offset_seconds: float | None = None
    """By how much the server's clock is ahead of ours, from its Date header."""
    upgrade_probe_reply: Reply | None = None
    """The answer to a plain GET of the WebSocket path."""
    is_routed_by_upgrade: bool = False
    """Whether nginx sends plain requests of the WebSocket path to gunicorn and handshakes to a WebSocket server."""
    forged_probe_reply: Reply | None = None
    """The same with forged X-Forwarded-* headers."""
    readiness_reply: Reply | None = None
    """The answer of /readyz."""

    handshake: Handshake | None = None
    """The WebSocket that the later hops use; it is signed in where the operator gave a session."""
    foreign_origin_reply: Reply | None = None
    """The answer to a handshake with the Origin of another site."""
    hello_reply: Received | None = None
    """What arrives after the handshake: the answer to `hello` where the site is the chat."""
    large_frame_reply: Received | None = None
    chat_hello_reply: Received | None = None
    """The answer to `hello` with the operator's session."""
    join_reply: Received | None = None
    typing_event: Received | None = None
    """What the second WebSocket receives when the first one sends `typing`."""
    idle_result: Received | None = None
    """How the WebSocket survived the silence; `seconds` is how long it lasted."""
    ping_reply: Received | None = None
    """The answer to a ping after the silence."""
    close_reply: Received | None = None
    """The answer to our close frame."""

    host: HostObservations | None = None
    """None: the doctor does not run on the site's host."""

    @property
    def reachable_addresses(self) -> list[str]:
        """The addresses that accept TCP connections."""
        return [address for address, error in self.tcp_errors.items() if not error]

    def target(self, address: str = "") -> Target:
        """Return the site as a browser reaches it, at the first reachable address unless another is given."""
        address = address or self.reachable_addresses[0]
        return Target(self.options.host, self.options.port, address, self.tls_context)

    @property
    def nginx(self) -> NginxConfig | None:
        """The host's configuration of nginx; None when it was not read."""
        return self.host.nginx if self.host else None

    @property
    def processes(self) -> list[ServerProcess]:
        """The processes of the upstreams that were found on the host."""
        return list(self.host.processes.values()) if self.host else []

    @property
    def origin(self) -> str:
        """The site's own Origin, which has its name and port whatever the address."""
        return f"https://{Target(self.options.host, self.options.port, self.options.host, self.tls_context).authority}"

    @property
    def upgrade_probe(self) -> UpgradeProbe | None:
        """The stack's own 426; None when the site does not have it."""
        return UpgradeProbe.from_reply(self.upgrade_probe_reply)

    @property
    def handshake_probe(self) -> UpgradeProbe | None:
        """The stack's own 426 as the answer to the WebSocket handshake; None when the answer is another."""
        return UpgradeProbe.from_reply(self.handshake.reply if self.handshake else None)

    @property
    def is_visitor_refused(self) -> bool:
        """Whether the handshake reached the application, which refused it."""
        return bool(self.handshake and self.handshake.reply.is_application_refusal)

    @property
    def engine_io(self) -> EngineIoOpening | None:
        """The first packet of Socket.IO; None when the site does not speak it."""
        return EngineIoOpening.from_received(self.hello_reply)

    @property
    def readiness(self) -> dict[str, object]:
        """Each part of /readyz and its state, which is `ok` or an error; empty where it is not the stack's."""
        content = self.readiness_reply.json if self.readiness_reply else None
        return content if isinstance(content, dict) and "ready" in content else {}

    def explain_unready(self, part: str) -> str:
        """Return why /readyz names this part as not ready; empty when it is ready or not known."""
        state = str(self.readiness.get(part, "ok"))
        return "" if state == "ok" else state

    @property
    def is_chat(self) -> bool:
        """Whether the site has the stack's 426 and agrees on the chat's subprotocol.

        The subprotocol alone proves nothing: the `ws` package of Node.js agrees on any.
        """
        return bool(self.upgrade_probe and self.handshake and self.handshake.subprotocol == SUBPROTOCOL)
