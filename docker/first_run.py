"""Create what the first `docker compose up` needs: keys and passwords, and a certificate when no operator brought one.

Each volume has one reader besides this program: /run/secrets the application, /made/database PostgreSQL, /made/tls
nginx. What exists stays, so a later start changes nothing.
"""

import datetime as dt
import os
import secrets
from pathlib import Path

from deploy import self_signed
from deploy.self_signed import write_atomically

APP, DATABASE, TLS = Path("/run/secrets"), Path("/made/database"), Path("/made/tls")
DAYS = 397  # the longest validity that browsers accept
RENEW_BEFORE = dt.timedelta(days=30)


def make_secrets() -> None:
    """Create the secrets that do not exist yet."""
    password = DATABASE / "password"
    if not password.exists():
        write_atomically(password, secrets.token_urlsafe(32).encode(), 0o640)
    if not (APP / "DATABASE_URL").exists():
        # With 3 s a sender learns soon that the database does not answer at all.
        url = f"postgres://parley:{password.read_text()}@postgres/parley?connect_timeout=3"
        write_atomically(APP / "DATABASE_URL", url.encode(), 0o600)
    if not (APP / "SECRET_KEY").exists():
        write_atomically(APP / "SECRET_KEY", secrets.token_urlsafe(50).encode(), 0o600)


def make_certificate(names: list[str]) -> None:
    """Create a self-signed certificate for these names unless there is a good one; never replace an operator's."""
    if present := self_signed.load_certificate(TLS):
        is_old = self_signed.remaining_validity(present) < RENEW_BEFORE
        if not self_signed.is_own(present) or (self_signed.find_names(present) == names and not is_old):
            return
    pair = self_signed.create_self_signed(names, days=DAYS)
    self_signed.write_key_pair(TLS, pair, key_mode=0o640, chain_mode=0o640)


def domain() -> list[str]:
    """Return the site's own names; empty on a laptop, where every host is allowed."""
    names = (name.strip().lstrip(".") for name in os.environ.get("ALLOWED_HOSTS", "").split(","))
    return [name for name in names if name not in ("", "*", "localhost")]


if __name__ == "__main__":
    make_secrets()
    make_certificate([*domain(), "localhost", "127.0.0.1", "::1"])
