"""A finding: something about a host that an operator has to know before anything is changed."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict

# Without these there is nothing that a deployment could begin with.
NEEDED = ("ssh", "sudo", "python", "preflight", "system", "systemd")
Severity = Literal["stop", "note"]


@dataclass(frozen=True)
class Finding:
    """One sentence about a host, and one that says what to do."""

    severity: Severity
    """`stop`: the deployment cannot work. `note`: it works; the operator should know."""
    subject: str
    """What it is about, in a word or two, such as "port 80". An operator accepts a stop by it: see `slug`."""
    sentence: str
    fix: str = ""
    """What to do; "" where nothing has to be done."""

    @property
    def slug(self) -> str:
        """The subject as `site_accept` takes it: "port-80"."""
        return re.sub(r"[^a-z0-9_]+", "-", self.subject.lower())

    @property
    def is_acceptable(self) -> bool:
        """Whether a deployment can be tried in spite of this stop."""
        return self.subject not in NEEDED and not self.subject.startswith("site_")

    def to_fields(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return asdict(self)


def stop(subject: str, sentence: str, fix: str) -> Finding:
    """Return what stops a deployment."""
    return Finding("stop", subject, sentence, fix)


def note(subject: str, sentence: str, fix: str = "") -> Finding:
    """Return what an operator should know."""
    return Finding("note", subject, sentence, fix)


class HostFacts(TypedDict):
    """What the host alone knows, and the operator's machine needs to judge it."""

    time: float
    """The host's clock, in seconds since 1970."""
    addresses: list[str]
    """The addresses of its interfaces, without loopback and link-local ones."""
    ipv6: bool
    """Whether the kernel opens sockets of IPv6."""
    firewall: str
    """The firewall that is active: ufw, firewalld, nftables or iptables; "" where there is none."""


class HostReport(TypedDict):
    """What the inspection prints on the host, as JSON."""

    facts: HostFacts
    findings: list[dict[str, Any]]


class Packed(TypedDict):
    """What `pack` prints."""

    archive: str
    """The path of the archive; "" where there is no plan."""
    plan: str
    findings: list[dict[str, Any]]
