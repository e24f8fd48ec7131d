"""What database_url.py sets for SQLite by options of Django 5.1, for the versions before that one."""

from typing import Any

import django
from django.db.backends.base.base import BaseDatabaseWrapper

HAS_OPTIONS = django.VERSION >= (5, 1)


def prepare_connection(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Let readers pass writers, and writers wait for each other. A receiver of connection_created."""
    if HAS_OPTIONS or connection.vendor != "sqlite":
        return

    def begin() -> None:
        connection.cursor().execute("BEGIN IMMEDIATE")

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
    # Relies on the name of the method by which Django 4.2 and 5.0 begin a transaction.
    vars(connection)["_start_transaction_under_autocommit"] = begin
