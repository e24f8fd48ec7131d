"""Why a certificate authority gave no certificate, in a sentence, and what to do; found in what certbot printed.

The texts are those of certbot 2 to 5, of Let's Encrypt (boulder), and of the authority pebble.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.failure_cause import shorten

# What a firewall of the host needs so that the authority reaches port 80: firewall_kind of the role firewall.
FIREWALL_FIXES = {
    "ufw": "Run `ufw allow 80/tcp` on the host.",
    "firewalld": "Run `firewall-cmd --permanent --add-service=http && firewall-cmd --reload` on the host.",
    "own_rules": "Add `tcp dport 80 accept` to the table of the host that refuses connections (`nft list ruleset`).",
}
CLOUD_FIX = "Open TCP port 80 in the firewall before the host (of a cloud: the security group)."
RECORD_FIX = "Correct the A and AAAA records of {name}, and wait until they are known."
AUTHORITY_FIX = "Allow that connection in the firewall of the network, or correct site_acme_directory."

FETCHED_ADDRESS = re.compile(
    r"^\s*Detail: (?:\S+: )??(?P<before>[0-9a-f.:]*[0-9a-f]): Fetching |dial tcp \[?(?P<dialed>[0-9a-f.:]+?)\]?:\d+:"
    r"|Invalid response from \S+ \[(?P<bracket>[0-9a-f.:]+)\]",
    re.M,
)
DETAIL = re.compile(r"^\s*Detail: (?P<detail>.+)$", re.M)
UNEXPECTED = re.compile(r"^An unexpected error occurred:\n(?P<error>.+)$", re.M)
NO_NAME = re.compile(r"NXDOMAIN|no valid A+ records|could not resolve URL|no such host|SERVFAIL|DNS problem")
NOT_REACHED = re.compile(r"Timeout|timeout|timed out|deadline exceeded|no route to host|No route to host")
REFUSED = re.compile(r"[Cc]onnection refused")
WRONG_ANSWER = re.compile(r"(?:returned|: ?\"?)\s*(?P<status>[1-5]\d\d)\b")
RATE_LIMIT = re.compile(
    r"(?P<limit>too many .+?)(?:, retry after (?P<time>[^:]+:\d\d:\d\d(?: UTC)?))?(?=:? see |$)", re.M
)
REQUESTING = re.compile(r"Requesting (?P<host>[^/\s]+)/\S*: (?P<why>.+)")
UNRESOLVED = re.compile(r"Failed to resolve '(?P<host>[^']+)'|(?P<other>\S+): Name or service not known")
UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed")


@dataclass(frozen=True)
class CertificateFailure:
    """Why there is no certificate."""

    sentence: str
    fix: str


@dataclass(frozen=True)
class AskingHost:
    """The host for which the certificate was asked."""

    name: str
    """The site's name."""
    addresses: Sequence[str] = ()
    """The addresses of its interfaces; none where they are not known."""
    firewall: str = ""
    """The kind of its firewall: ufw, firewalld, own_rules or table; "" where it is not known."""


def explain_failure(output: str, host: AskingHost) -> CertificateFailure:
    """Return why certbot obtained no certificate.

    Args:
        output: what certbot printed, both streams.
        host: the host on which it ran.
    """
    found = DETAIL.search(output)
    if found:
        return _explain_challenge(found["detail"], _find_fetched(output), host)
    unexpected = UNEXPECTED.search(output)
    error = unexpected["error"] if unexpected else ""
    for explain in (_explain_rate_limit, _explain_authority, _explain_lock):
        if failure := explain(output):
            return failure
    last = error or next((line for line in reversed(output.splitlines()) if line.strip()), "it printed nothing")
    return CertificateFailure(
        f"certbot obtained no certificate for {host.name}: {shorten(last)}",
        "Read /var/log/letsencrypt/letsencrypt.log on the host.",
    )


def _find_fetched(output: str) -> str:
    """Return the address at which the authority asked; "" where it does not say so."""
    found = FETCHED_ADDRESS.search(output)
    return next((text for text in found.groups() if text), "") if found else ""


def _explain_challenge(detail: str, fetched: str, host: AskingHost) -> CertificateFailure:
    """Explain why the authority did not get the file that proves the ownership of the name."""
    name = host.name
    if "CAA" in detail:
        return CertificateFailure(
            f"The CAA record of {name} does not allow this certificate authority.",
            f"Add the authority to the CAA record of {name}.",
        )
    if NO_NAME.search(detail):
        return CertificateFailure(
            f"The certificate authority finds no address of {name}: the name is not in DNS.",
            f"Add an A record of {name}{_describe_own(host)}.",
        )
    if fetched and host.addresses and fetched not in host.addresses and _is_as_public(fetched, host.addresses):
        return CertificateFailure(
            f"{name} leads to {fetched}, and the host is {', '.join(host.addresses)}.",
            RECORD_FIX.format(name=name),
        )
    at = f"{name} ({fetched})" if fetched else name
    if NOT_REACHED.search(detail):
        return CertificateFailure(
            f"Port 80 of {at} does not answer the certificate authority.",
            FIREWALL_FIXES.get(host.firewall, CLOUD_FIX),
        )
    if REFUSED.search(detail):
        return CertificateFailure(
            f"Port 80 of {at} refuses the certificate authority: nothing listens there.",
            "Run `systemctl status nginx` on the host; where nginx runs, the name leads to another machine.",
        )
    if answer := WRONG_ANSWER.search(detail):
        return CertificateFailure(
            f"The certificate authority gets {answer['status']} from port 80 of {at}, and not the file of the "
            "challenge: another program or machine answers.",
            f"Let http://{name}/.well-known/acme-challenge/ lead to this host: correct the records of the name, or the "
            "proxy before the host.",
        )
    return CertificateFailure(
        f"The certificate authority refuses {name}: {shorten(detail)}",
        "Read /var/log/letsencrypt/letsencrypt.log on the host.",
    )


def _describe_own(host: AskingHost) -> str:
    return f" with the host's address, {host.addresses[0]}" if host.addresses else " with the host's address"


def _is_as_public(fetched: str, addresses: Sequence[str]) -> bool:
    """Return whether the host knows an address of the same kind: a host of a cloud does not know its public one."""
    return _is_public(fetched) in {_is_public(address) for address in addresses}


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _explain_rate_limit(output: str) -> CertificateFailure | None:
    found = RATE_LIMIT.search(output)
    if not found:
        return None
    when = f"after {found['time']}" if found["time"] else "later"
    return CertificateFailure(
        f"The certificate authority's rate limit is reached: {shorten(found['limit'])}.",
        f"Wait: the host tries again by itself, and it succeeds {when}.",
    )


def _explain_authority(output: str) -> CertificateFailure | None:
    """Explain why the host did not reach the authority."""
    if UNTRUSTED.search(output):
        return CertificateFailure(
            "The host does not trust the certificate of the authority itself.",
            "Set site_acme_ca to a file on the host with the CA certificate of the authority's own https.",
        )
    if found := UNRESOLVED.search(output):
        return CertificateFailure(
            f"The host cannot resolve the name of the certificate authority, {found['host'] or found['other']}.",
            "Correct the name servers of the host (`resolvectl status`, or /etc/resolv.conf), or site_acme_directory.",
        )
    if found := REQUESTING.search(output):
        return CertificateFailure(
            f"The host cannot reach the certificate authority, {found['host']}: {found['why'].rstrip('.')}.",
            AUTHORITY_FIX,
        )
    if "Max retries exceeded" in output or "ConnectTimeout" in output or "Read timed out" in output:
        return CertificateFailure("The host cannot reach the certificate authority: it does not answer.", AUTHORITY_FIX)
    return None


def _explain_lock(output: str) -> CertificateFailure | None:
    if "Another instance of Certbot is already running" not in output:
        return None
    return CertificateFailure(
        "Another certbot runs on the host at this moment.", "Wait: the host tries again by itself."
    )
