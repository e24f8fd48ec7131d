"""Certificates that no public authority signs: for a machine without a public name, for containers, and for tests.

Browsers warn of such a certificate once and remember it. As a command it leaves the files of one in a folder:

    python -m deploy.self_signed FOLDER NAME... [--days 90]

It needs the package cryptography, which every release has.
"""

import argparse
import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CHAIN_FILE, KEY_FILE = "fullchain.pem", "privkey.pem"  # as certbot names them, and nginx expects
COMMON_NAME = "The site on this machine"
CLOCK_TOLERANCE = dt.timedelta(hours=1)  # a browser's clock may be behind
DEFAULT_DAYS = 90


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        """The private key without a password: PEM, PKCS #8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def certificate_pem(self) -> bytes:
        """The certificate: PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def create_certificate(
    common_name: str,
    *,
    names: Sequence[str] = (),
    issuer: KeyPair | None = None,
    is_authority: bool = False,
    path_length: int | None = None,
    valid_from: dt.timedelta = -CLOCK_TOLERANCE,
    valid_until: dt.timedelta = dt.timedelta(days=DEFAULT_DAYS),
) -> KeyPair:
    """Return a new key with its certificate (RFC 5280).

    Args:
        common_name: the name of the subject.
        names: the host names and IP addresses for which the certificate is valid.
        issuer: the authority that signs it; None: it signs itself.
        is_authority: whether it may sign other certificates.
        path_length: how many authorities may stand between it and a site's certificate; None: any number.
        valid_from: beginning of its validity, from now.
        valid_until: end of its validity, from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid_from)
        .not_valid_after(now + valid_until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_parse_name(name) for name in names]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return KeyPair(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def create_self_signed(names: Sequence[str], *, days: int) -> KeyPair:
    """Return a new self-signed certificate for these names and addresses, valid for so many days.

    It is marked as an authority, so that it can be installed as one on a device that shall trust it.
    """
    return create_certificate(
        COMMON_NAME, names=names, is_authority=True, path_length=0, valid_until=dt.timedelta(days=days)
    )


def is_own(certificate: x509.Certificate) -> bool:
    """Whether `create_self_signed` made this certificate, and not an operator or an authority."""
    common_names = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [attribute.value for attribute in common_names] == [COMMON_NAME]


def find_names(certificate: x509.Certificate) -> list[str]:
    """Return the host names and addresses for which the certificate is valid."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def remaining_validity(certificate: x509.Certificate) -> dt.timedelta:
    """Return the time from now until the certificate ends; negative when it has ended."""
    return certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)


def load_certificate(folder: Path) -> x509.Certificate | None:
    """Return the certificate in the folder; None when it or its key is missing."""
    chain = folder / CHAIN_FILE
    if not chain.exists() or not (folder / KEY_FILE).exists():
        return None
    return x509.load_pem_x509_certificate(chain.read_bytes())


def write_key_pair(
    folder: Path,
    pair: KeyPair,
    *,
    intermediates: Sequence[KeyPair] = (),
    key_mode: int = 0o600,
    chain_mode: int = 0o644,
) -> None:
    """Write privkey.pem and fullchain.pem, each complete or not at all.

    Args:
        folder: an existing folder.
        pair: the site's key and certificate.
        intermediates: the authorities whose certificates follow the site's in fullchain.pem.
        key_mode: the permissions of privkey.pem.
        chain_mode: the permissions of fullchain.pem.
    """
    chain = b"".join(link.certificate_pem for link in (pair, *intermediates))
    write_atomically(folder / KEY_FILE, pair.key_pem, key_mode)
    write_atomically(folder / CHAIN_FILE, chain, chain_mode)


def write_atomically(path: Path, content: bytes, mode: int) -> None:
    """Write a file with these permissions from its first byte on; a reader sees all of it or the former one."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def _parse_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def main() -> None:
    """Leave a certificate in the folder of the command line, unless there is one."""
    parser = argparse.ArgumentParser(
        "python -m deploy.self_signed", description="Leave a self-signed certificate in a folder that has none."
    )
    parser.add_argument("folder", type=Path, help="gets fullchain.pem and privkey.pem")
    parser.add_argument("names", nargs="+", metavar="NAME", help="host names and IP addresses of the site")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help=f"validity (default: {DEFAULT_DAYS})")
    options = parser.parse_args()
    if load_certificate(options.folder) is None:
        options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_key_pair(options.folder, create_self_signed(options.names, days=options.days))
        print(f"Wrote a self-signed certificate for {', '.join(options.names)} to {options.folder}")


if __name__ == "__main__":
    main()
