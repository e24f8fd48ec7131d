"""A certificate for the names and addresses of this machine."""

import datetime as dt
import os
import socket
import subprocess

from cryptography import x509

from deploy import self_signed
from deploy.local.layout import Layout

DAYS = 90
RENEW_BEFORE = dt.timedelta(days=7)


def renew(layout: Layout) -> None:
    """Leave a certificate in var/tls/ that is good for another week at least."""
    chain, key = layout.tls / "fullchain.pem", layout.tls / "privkey.pem"
    if chain.exists() and key.exists():
        present = x509.load_pem_x509_certificate(chain.read_bytes())
        if self_signed.lasts(present) > RENEW_BEFORE:
            return
    names = ["localhost", socket.gethostname(), "127.0.0.1", "::1", *machine_addresses()]
    made = self_signed.make(names, days=DAYS)
    key.unlink(missing_ok=True)
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(made[0])
    chain.write_bytes(made[1])


def machine_addresses() -> list[str]:
    """Every address of this machine but loopback and link-local ones."""
    shown = subprocess.run(["hostname", "--all-ip-addresses"], capture_output=True, text=True, check=False)
    return shown.stdout.split()


def lan_address() -> str | None:
    """The IPv4 address from which this machine reaches others, or None when it is alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: the kernel only picks the route
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address
