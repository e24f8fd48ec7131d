"""What is over and still lies in the database: sessions, rate limits."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

BATCH = 1000  # rows in one transaction: nobody waits long for it


def delete_sessions() -> int:
    """Leave no session that is over. Returns how many went."""
    return _in_batches(Session._meta.db_table, "session_key", "expire_date")  # noqa: SLF001  Django's documented way


def delete_cache_rows() -> int:
    """Leave no entry of the cache that is over. Returns how many went."""
    return _in_batches(str(settings.CACHES["default"]["LOCATION"]), "cache_key", "expires")


def _in_batches(table: str, key: str, end: str) -> int:
    table, key, end = map(connection.ops.quote_name, (table, key, end))
    over = connection.ops.adapt_datetimefield_value(timezone.now())
    gone = 0
    while rows := _keys(f"SELECT {key} FROM {table} WHERE {end} < %s LIMIT {BATCH}", over):  # noqa: S608  names of ours
        marks = ", ".join(["%s"] * len(rows))
        with connection.cursor() as cursor:
            # Looked at again: it may have been renewed since.
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN ({marks}) AND {end} < %s", [*rows, over])  # noqa: S608
            if cursor.rowcount == 0:
                break
            gone += cursor.rowcount
    return gone


def _keys(query: str, over: Any) -> Sequence[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, [over])
        return [row[0] for row in cursor.fetchall()]
