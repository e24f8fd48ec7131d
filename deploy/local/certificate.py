"""The certificate of `make run`, for the names and addresses of this machine."""

import datetime as dt
import socket
import subprocess

from deploy import self_signed
from deploy.local.layout import Layout

DAYS = 90
RENEW_BEFORE = dt.timedelta(days=7)
TEST_NET_ADDRESS = "192.0.2.1"  # RFC 5737: never a real host


def renew(layout: Layout) -> None:
    """Make sure that var/tls/ has a certificate that is valid for another week at least."""
    present = self_signed.load_certificate(layout.tls)
    if present and self_signed.remaining_validity(present) > RENEW_BEFORE:
        return
    names = ["localhost", socket.gethostname(), "127.0.0.1", "::1", *machine_addresses()]
    self_signed.write_key_pair(layout.tls, self_signed.create_self_signed(names, days=DAYS))


def machine_addresses() -> list[str]:
    """Return every address of this machine except loopback and link-local ones."""
    listed = subprocess.run(["hostname", "--all-ip-addresses"], capture_output=True, text=True, check=False)
    return listed.stdout.split()


def lan_address() -> str | None:
    """Return the IPv4 address from which this machine reaches others, or None when it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((TEST_NET_ADDRESS, 9))  # sends nothing: the kernel only chooses the route
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address
