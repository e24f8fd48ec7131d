"""What the first `docker compose up` makes up: keys and passwords, and a certificate where nobody brought one.

Each volume has one reader besides us: /run/secrets the application, /made/database PostgreSQL, /made/tls nginx.
What is there already stays, so every later start is a look and nothing else.
"""

import datetime as dt
import ipaddress
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

APP, DATABASE, TLS = Path("/run/secrets"), Path("/made/database"), Path("/made/tls")
SIGNED_BY_US = "Parley on this machine"
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
        if present.issuer != ours() or (names_of(present) == names and not is_old(present)):
            return
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(ours())
        .issuer_name(ours())
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # a browser's clock may be behind
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8, open_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write(TLS / "privkey.pem", key.private_bytes(pem, pkcs8, open_), 0o640)
    write(chain, certificate.public_bytes(pem), 0o640)


def ours() -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SIGNED_BY_US)])


def is_old(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) < RENEW_BEFORE


def names_of(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def domain() -> list[str]:
    """The site's own names; none on a laptop, where every host is allowed."""
    names = (name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(","))
    return [name for name in names if name not in ("", "*", "localhost")]


if __name__ == "__main__":
    make_secrets()
    make_certificate([*domain(), "localhost", "127.0.0.1", "::1"])
