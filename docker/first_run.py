"""Create what the first `docker compose up` needs: keys and passwords, and a certificate when no operator brought one.

    first_run.py              creates what is missing
    first_run.py --secrets    also stores the project's own secrets, which it reads from standard input as a JSON object
                              with `values`, name -> secret, and `required`, the names that must be there then

Each volume has one reader besides this program: /run/secrets the application, /made/database PostgreSQL, /made/tls
nginx. What exists stays, so a later start changes nothing. Variables of a project with a manifest:

    SITE_NAME        the name of the database and of its user
    SITE_DATABASE    postgres (the default), sqlite, or own: no DATABASE_URL
    SECRET_COPIES    NAME=SECRET, with spaces between them: variables by which the project itself reads these secrets
"""

import datetime as dt
import json
import os
import secrets
import sys
from pathlib import Path

from deploy import self_signed
from deploy.containers.names import read_own_hosts
from deploy.self_signed import write_atomically

APP, DATABASE, TLS = Path("/run/secrets"), Path("/made/database"), Path("/made/tls")
SQLITE_FILE = "/made/data/database.sqlite3"
DAYS = 397  # the longest validity that browsers accept
RENEW_BEFORE = dt.timedelta(days=30)


def make_secrets(name: str, database: str) -> None:
    """Create the secrets that do not exist yet.

    Args:
        name: of the database and of its user.
        database: postgres, sqlite or own.
    """
    if database == "postgres":
        password = DATABASE / "password"
        if not password.exists():
            write_atomically(password, secrets.token_urlsafe(32).encode(), 0o640)
        # With 3 s a sender learns soon that the database does not answer at all.
        make_secret("DATABASE_URL", f"postgres://{name}:{password.read_text()}@postgres/{name}?connect_timeout=3")
    elif database == "sqlite":
        make_secret("DATABASE_URL", f"sqlite:///{SQLITE_FILE}")
    make_secret("SECRET_KEY", secrets.token_urlsafe(50))


def make_secret(name: str, value: str) -> None:
    """Write a secret of the application, unless there is one."""
    if not (APP / name).exists():
        write_atomically(APP / name, value.encode(), 0o600)


def copy_secrets(copies: str) -> None:
    """Give secrets the names by which the project reads them. `copies` is the variable SECRET_COPIES."""
    for copy in copies.split():
        name, _, secret = copy.partition("=")
        make_secret(name, (APP / secret).read_text())


def store_secrets(values: dict[str, str], required: list[str]) -> None:
    """Write the project's own secrets, and replace those that have changed.

    Raises:
        SystemExit: a required one was given neither now nor before.
    """
    for name, value in values.items():
        write_atomically(APP / name, value.encode(), 0o600)
    missing = [name for name in required if not (APP / name).exists()]
    if missing:
        sys.exit(f"set the secrets of stack.toml in the environment: {', '.join(missing)}")


def make_certificate(names: list[str]) -> None:
    """Create a self-signed certificate for these names unless there is a good one; never replace an operator's."""
    if present := self_signed.load_certificate(TLS):
        is_old = self_signed.remaining_validity(present) < RENEW_BEFORE
        if not self_signed.is_own(present) or (self_signed.find_names(present) == names and not is_old):
            return
    pair = self_signed.create_self_signed(names, days=DAYS)
    self_signed.write_key_pair(TLS, pair, key_mode=0o640, chain_mode=0o640)


if __name__ == "__main__":
    make_secrets(os.environ["SITE_NAME"], os.environ.get("SITE_DATABASE", "postgres"))
    copy_secrets(os.environ.get("SECRET_COPIES", ""))
    if "--secrets" in sys.argv[1:]:
        store_secrets(**json.load(sys.stdin))
    make_certificate([*read_own_hosts(os.environ), "localhost", "127.0.0.1", "::1"])
