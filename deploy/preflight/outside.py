"""What the operator's machine sees of the host: its clock, the addresses of the site's name, and the ports of nginx."""

import ipaddress
import shlex
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.preflight.finding import Finding, HostFacts, note, stop
from deploy.preflight.login import Connection
from deploy.preflight.plan import Plan

MAX_CLOCK_DIFFERENCE_SECONDS = 60
"""A new certificate is valid from some time before it was made, so that a clock may be a minute slow."""
CONNECT_TIMEOUT_SECONDS = 4
SSH_TIMEOUT_SECONDS = 5
SSH_PORT = 22
PUBLIC_PORTS = (80, 443)
OPENED_FIREWALLS = ("ufw", "firewalld")  # the deployment opens the ports of the site in these
NO_PROXY_FIX = (
    "If that is a load balancer or proxy, set site_trusted_proxies to its networks; else correct the records."
)
Probe = Callable[[str, int], str]
Resolve = Callable[[str], list[str]]


@dataclass(frozen=True)
class Endpoint:
    """Where ssh connects to."""

    host: str
    port: int
    is_direct: bool
    """Whether this machine connects itself, and not by a jump host."""


def resolve_destination(connection: Connection) -> Endpoint:
    """Return where ssh connects to, with ~/.ssh/config: HOST may be an alias."""
    command = ["ssh", *shlex.split(connection["options"])]
    command += ["-p", str(connection["port"])] if connection["port"] else []
    try:
        done = subprocess.run(
            [*command, "-G", connection["host"]],
            capture_output=True,
            text=True,
            timeout=SSH_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return Endpoint(connection["host"], connection["port"] or SSH_PORT, is_direct=True)
    found = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    has_jump = any(found.get(name, "none") != "none" for name in ("proxyjump", "proxycommand"))
    return Endpoint(found.get("hostname", connection["host"]), int(found.get("port", SSH_PORT)), not has_jump)


def resolve_name(name: str) -> list[str]:
    """Return the addresses of a name; none where it has none."""
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def probe_port(address: str, port: int) -> str:
    """Return how a port answers: "open", "refused" (nobody listens, nothing filters it), or "filtered"."""
    try:
        socket.create_connection((address, port), timeout=CONNECT_TIMEOUT_SECONDS).close()
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "filtered"
    return "open"


def check_clock(facts: HostFacts, now: float) -> Iterator[Finding]:
    """Compare the host's clock with this machine's.

    Args:
        facts: of the host.
        now: this machine's clock when the host's was read, in seconds since 1970.
    """
    difference = facts["time"] - now
    if abs(difference) > MAX_CLOCK_DIFFERENCE_SECONDS:
        yield stop(
            "clock",
            f"The clock of the host is {describe_seconds(abs(difference))} {'ahead of' if difference > 0 else 'behind'}"
            " this machine's; certificates and packages are refused at a wrong time.",
            "On the host: apt-get install systemd-timesyncd, or timedatectl set-time. Check this machine's clock, too.",
        )


def describe_seconds(seconds: float) -> str:
    """Return a duration in its largest unit: "3 days"."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = round(seconds / size)
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{round(seconds)} seconds"


def check_name(
    plan: Plan, facts: HostFacts, host_addresses: list[str], resolve: Resolve = resolve_name
) -> Iterator[Finding]:
    """Check that the site's name leads to the host. A private authority may know another DNS than this machine.

    Args:
        plan: the plan.
        facts: of the host.
        host_addresses: where ssh reaches the host.
        resolve: what returns the addresses of a name.
    """
    if not plan.authority_is_public:
        return
    found = resolve(plan.domain)
    if not found:
        yield stop(
            "domain",
            f"{plan.domain} has no address: the name is not in DNS.",
            f"Add an A record of {plan.domain} with the host's address{_name_public(host_addresses)}.",
        )
        return
    own = {*facts["addresses"], *host_addresses}
    wrong = [address for address in found if address not in own]
    if not wrong:
        return
    # A host of a cloud does not know its public address; it is compared only where ssh connects to a public one.
    is_known = any(is_public(address) for address in own) and not plan.has_proxy
    sentence = f"{plan.domain} leads to {', '.join(wrong)}, and the host is {', '.join(host_addresses) or 'elsewhere'}."
    if is_known and len(wrong) == len(found):
        yield stop(
            "domain", sentence, f"Correct the A and AAAA records of {plan.domain}, and wait until they are known."
        )
    elif is_known and any(":" in address for address in wrong):
        yield stop(
            "domain",
            f"{plan.domain} leads to {', '.join(wrong)} as well, which this host does not have.",
            "Remove that record: the certificate authority asks at every address.",
        )
    else:
        fix = "If that is not your proxy, correct the records." if plan.has_proxy else NO_PROXY_FIX
        yield note("domain", sentence, fix)


def _name_public(addresses: list[str]) -> str:
    public = [address for address in addresses if is_public(address)]
    return f", {public[0]}" if public else ""


def is_public(address: str) -> bool:
    """Return whether the address is one of the public internet."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def check_reachable(
    plan: Plan, facts: HostFacts, endpoint: Endpoint, resolve: Resolve = resolve_name, probe: Probe = probe_port
) -> Iterator[Finding]:
    """Check that nothing between here and the host filters the ports of pages.

    Only where this machine connects to the host's ssh port by itself, so that a filtered port means something.
    """
    if not endpoint.is_direct or facts["firewall"] in OPENED_FIREWALLS:
        return
    addresses = resolve(plan.domain) if plan.authority_is_public else []
    address = next(iter(addresses or resolve(endpoint.host)), "")
    if not address:
        return
    ports = [endpoint.port, *PUBLIC_PORTS]
    with ThreadPoolExecutor(len(ports)) as pool:
        answers = dict(zip(ports, pool.map(lambda port: probe(address, port), ports), strict=True))
    if not addresses and answers[endpoint.port] != "open":
        return
    filtered = [port for port in PUBLIC_PORTS if answers[port] == "filtered"]
    if filtered:
        many = "ports 80 and 443 do" if len(filtered) > 1 else f"port {filtered[0]} does"
        by = f" {facts['firewall']} of the host filters it, or a firewall before it." if facts["firewall"] else ""
        yield stop(
            f"port {filtered[0]}" if len(filtered) == 1 else "ports 80, 443",
            f"{address} {many} not answer this machine.{by}",
            "Open TCP 80 and 443 in the firewall (of a cloud: the security group); a certificate needs port 80.",
        )
