"""The overlay's rule for DATABASES."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from channels_stack.changes import Changes
from channels_stack.database_url import Database, parse_database_url

# What a project's queries rely on, wherever the database is.
KEPT_ENTRIES = ("ATOMIC_REQUESTS", "AUTOCOMMIT", "DISABLE_SERVER_SIDE_CURSORS", "TEST", "TIME_ZONE")
KEPT_OPTIONS = ("isolation_level", "options", "server_side_binding")  # of PostgreSQL; the others say how to connect
# Parts of the names of engines of the same kind: PostGIS, SpatiaLite, and those that measure or extend Django's own.
FAMILIES = {"postgresql": ("postgresql", "postgis", "psqlextra", "timescale"), "sqlite3": ("sqlite3", "spatialite")}


def set_database(changes: Changes, url: str) -> None:
    """Make the database of DATABASE_URL the default one. The project's other databases stay.

    Raises:
        ImproperlyConfigured: The URL is missing or wrong.
    """
    if not url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set: it must be a variable, or a file in the folder that CREDENTIALS_DIRECTORY names."
        )
    databases = changes.get("DATABASES") or {}
    theirs = databases.get("default") or {}
    given = parse_database_url(url)
    given |= {name: theirs[name] for name in KEPT_ENTRIES if name in theirs}
    family = _family(given["ENGINE"])
    if family == _family(theirs.get("ENGINE", "")):
        given["ENGINE"] = theirs["ENGINE"]
        if family == "postgresql":
            options = theirs.get("OPTIONS") or {}
            given["OPTIONS"] = {name: options[name] for name in KEPT_OPTIONS if name in options} | given["OPTIONS"]
    changes.set(
        "DATABASES",
        {**databases, "default": given},
        "The project's folder is read-only, and the database must outlive a release.",
        before=describe(theirs),
        after=describe(given),
    )


def _family(engine: str) -> str:
    return next((family for family, parts in FAMILIES.items() if any(part in engine for part in parts)), "")


def describe(database: Database) -> str:
    """Return what kind of database it is and where, without user and password."""
    if not database:
        return "not set"
    kind = str(database.get("ENGINE", "")).rpartition(".")[2]
    place: Any = database.get("HOST") or ""
    return f"{kind} {database.get('NAME', '')}" + (f" at {place}" if place else "")
