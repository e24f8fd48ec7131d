"""Create what the first `docker compose up` needs: keys, passwords, and a self-signed certificate.

Each volume has one reader besides this program: /run/secrets the application, /made/database PostgreSQL, /made/tls
nginx. Files that exist are kept, so a later start changes nothing.
"""

import datetime as dt
import os
import secrets
from pathlib import Path

from cryptography import x509

from deploy import self_signed

APP, DATABASE, TLS = Path("/run/secrets"), Path("/made/database"), Path("/made/tls")
CERTIFICATE_DAYS = 397  # the longest validity that browsers accept
RENEW_BEFORE = dt.timedelta(days=30)


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Write the file completely or not at all; it has `mode` (such as 0o600) from its first byte on."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def make_secrets() -> None:
    """Create the password of the database, its URL and the secret key, each where it is missing."""
    password = DATABASE / "password"
    if not password.exists():
        write_file(password, secrets.token_urlsafe(32).encode(), 0o640)
    if not (APP / "DATABASE_URL").exists():
        # Seconds: a request fails soon when the database does not answer at all.
        url = f"postgres://parley:{password.read_text()}@postgres/parley?connect_timeout=3"
        write_file(APP / "DATABASE_URL", url.encode(), 0o600)
    if not (APP / "SECRET_KEY").exists():
        write_file(APP / "SECRET_KEY", secrets.token_urlsafe(50).encode(), 0o600)


def make_certificate(names: list[str]) -> None:
    """Create a self-signed certificate for these names, unless a valid one is there. It replaces only its own kind."""
    chain = TLS / "fullchain.pem"
    if chain.exists() and (TLS / "privkey.pem").exists():
        present = x509.load_pem_x509_certificate(chain.read_bytes())
        old = self_signed.lasts(present) < RENEW_BEFORE
        if present.issuer != self_signed.NAME or (read_names(present) == names and not old):
            return
    key, certificate = self_signed.make(names, days=CERTIFICATE_DAYS)
    write_file(TLS / "privkey.pem", key, 0o640)
    write_file(chain, certificate, 0o640)


def read_names(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names and addresses that the certificate is for, in their order."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def read_domains() -> list[str]:
    """Return the site's own names from ALLOWED_HOSTS; none where every host is allowed."""
    names = (name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(","))
    return [name for name in names if name not in ("", "*", "localhost")]


if __name__ == "__main__":
    make_secrets()
    make_certificate([*read_domains(), "localhost", "127.0.0.1", "::1"])
