"""What the first `docker compose up` makes up: keys and passwords, and a certificate where nobody brought one.

Each volume has one reader besides us: /run/secrets the application, /made/database PostgreSQL, /made/tls nginx.
What is there already stays, so every later start is a look and nothing else.
"""

import datetime as dt
import os
import secrets
from pathlib import Path

from cryptography import x509

from deploy import self_signed

APP, DATABASE, TLS = Path("/run/secrets"), Path("/made/database"), Path("/made/tls")
DAYS = 397  # the longest that browsers accept
RENEW_BEFORE = dt.timedelta(days=30)


def write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and closed to others from the first byte on."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def make_secrets() -> None:
    password = DATABASE / "password"
    if not password.exists():
        write(password, secrets.token_urlsafe(32).encode(), 0o640)
    if not (APP / "DATABASE_URL").exists():
        # Seconds: a sender is told soon when the database does not answer at all.
        url = f"postgres://parley:{password.read_text()}@postgres/parley?connect_timeout=3"
        write(APP / "DATABASE_URL", url.encode(), 0o600)
    if not (APP / "SECRET_KEY").exists():
        write(APP / "SECRET_KEY", secrets.token_urlsafe(50).encode(), 0o600)


def make_certificate(names: list[str]) -> None:
    """A self-signed one, unless there is a good one; somebody else's is never touched."""
    chain = TLS / "fullchain.pem"
    if chain.exists() and (TLS / "privkey.pem").exists():
        present = x509.load_pem_x509_certificate(chain.read_bytes())
        old = self_signed.lasts(present) < RENEW_BEFORE
        if present.issuer != self_signed.NAME or (names_of(present) == names and not old):
            return
    key, certificate = self_signed.make(names, days=DAYS)
    write(TLS / "privkey.pem", key, 0o640)
    write(chain, certificate, 0o640)


def names_of(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def domain() -> list[str]:
    """The site's own names; none on a laptop, where every host is allowed."""
    names = (name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(","))
    return [name for name in names if name not in ("", "*", "localhost")]


if __name__ == "__main__":
    make_secrets()
    make_certificate([*domain(), "localhost", "127.0.0.1", "::1"])
