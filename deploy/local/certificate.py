"""A self-signed certificate for the names of this machine. Browsers warn once, then remember."""

import socket
import subprocess

from deploy.local.checks import program
from deploy.local.layout import Layout

DAYS = 90
RENEW_BEFORE = 7 * 24 * 3600  # seconds


def renew(layout: Layout) -> None:
    """Leave a certificate in var/tls/ that is good for another week at least."""
    openssl = program("openssl") or "openssl"
    certificate, key = layout.tls / "fullchain.pem", layout.tls / "privkey.pem"
    if certificate.exists() and key.exists():
        check = [openssl, "x509", "-in", str(certificate), "-noout", "-checkend", str(RENEW_BEFORE)]
        if subprocess.run(check, capture_output=True, check=False).returncode == 0:
            return
    names = ",".join(f"DNS:{name}" for name in ("localhost", socket.gethostname()))
    addresses = ",".join(f"IP:{address}" for address in ("127.0.0.1", "::1", *machine_addresses()))
    request = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request += ["-days", str(DAYS), "-subj", "/CN=Parley on this machine"]
    request += ["-addext", f"subjectAltName={names},{addresses}", "-addext", "extendedKeyUsage=serverAuth"]
    request += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(request, check=True, capture_output=True)
    key.chmod(0o600)


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
