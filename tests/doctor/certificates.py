"""Certificates with something wrong: an authority, one between, and a site's."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Signed = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def sign(
    name: str, by: Signed | None = None, *, authority: bool = False, days: float = 90, since: float = -2
) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[1].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=since))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return key, builder.sign(by[0] if by else key, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def store(folder: Path, *, name: str = "localhost", days: float = 90, since: float = -2, whole: bool = True) -> Path:
    """Leave fullchain.pem and privkey.pem in the folder, valid from and until so many days from now.

    Returns the authority's file, for --ca.
    """
    folder.mkdir()
    root = sign("root", authority=True)
    between = sign("between", root, authority=True)
    key, site = sign(name, between, days=days, since=since)
    (folder / "fullchain.pem").write_bytes(pem(site, between[1]) if whole else pem(site))
    plain = serialization.NoEncryption()
    made = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "privkey.pem").write_bytes(made)
    (folder / "root.pem").write_bytes(pem(root[1]))
    return folder / "root.pem"
