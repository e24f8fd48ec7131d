"""Reads DATABASE_URL into an entry of DATABASES.

    sqlite:////var/lib/site/site.sqlite3
    postgres://user:password@host:5432/name?sslmode=require
    postgres://user@//run/postgresql/name       a server's unix socket: the folder, then the database
    postgres:////run/postgresql/name            the same, as the user of the process
    postgres://user@%2Frun%2Fpostgresql/name    the same, as libpq writes it

django-environ would do this; it is no dependency of the projects that the stack serves.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django
from django.core.exceptions import ImproperlyConfigured

POSTGRES_SCHEMES = ("postgres", "postgresql", "pgsql")
POSTGRES_ENGINE = "django.db.backends.postgresql"
SQLITE_ENGINE = "django.db.backends.sqlite3"
CONNECTION_AGE_SECONDS = 60  # before a connection is replaced
SQLITE_LOCK_TIMEOUT_SECONDS = 20  # that a writer waits for another writer

Database = dict[str, Any]


def parse_database_url(url: str) -> Database:
    """Return the entry of DATABASES for the URL.

    Raises:
        ImproperlyConfigured: With one sentence, which never quotes the URL: it may contain a password.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if parts.scheme in POSTGRES_SCHEMES:
            return _postgres(parts.netloc, parts.path, options)
        if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
            return _sqlite(unquote(parts.path[1:]))
    except ValueError:
        pass
    raise ImproperlyConfigured("DATABASE_URL is wrong: it must be a URL beginning with postgres:// or sqlite:///.")


def _sqlite(file: str) -> Database:
    # A transaction takes the write lock when it begins: the second of two writers waits instead of failing. Readers do
    # not wait for the writer. Older versions of Django get the same from sqlite_connections.py.
    options: dict[str, Any] = {"timeout": SQLITE_LOCK_TIMEOUT_SECONDS}
    if django.VERSION >= (5, 1):
        options |= {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    return {
        "ENGINE": SQLITE_ENGINE,
        "NAME": file,
        "OPTIONS": options,
        "CONN_MAX_AGE": CONNECTION_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
    }


def _postgres(server: str, path: str, options: dict[str, str]) -> Database:
    credentials, _, address = server.rpartition("@")
    user, _, password = credentials.partition(":")
    host, port = unquote(address), ""
    if address and not host.startswith("/"):
        # libpq takes several servers: host1:5432,host2:5432
        pairs = [_split_port(one) for one in address.split(",")]
        host, port = ",".join(pair[0] for pair in pairs), ",".join(pair[1] for pair in pairs)
        if not port.strip(","):
            port = ""
    folder, _, name = path.removeprefix("/").rpartition("/")
    if (folder and address) or not name:
        raise ValueError(path)
    return {
        "ENGINE": POSTGRES_ENGINE,
        "NAME": unquote(name),
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": f"/{folder.lstrip('/')}" if folder else host,
        "PORT": port,
        "OPTIONS": options,
        "CONN_MAX_AGE": CONNECTION_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
    }


def _split_port(address: str) -> tuple[str, str]:
    """Split host:port, host or [IPv6]:port. Raises ValueError."""
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = address.partition(":")
    if port and not port.isdigit():
        raise ValueError(address)
    return unquote(host), port
