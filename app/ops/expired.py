"""Deletes expired rows that Django leaves in the database: sessions, and the cache's rate limits."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

BATCH_SIZE = 1000  # rows in one transaction, so that other writers wait only briefly


def delete_sessions() -> int:
    """Delete all expired sessions and return how many were deleted."""
    return _delete_in_batches(Session._meta.db_table, "session_key", "expire_date")  # noqa: SLF001  a documented API


def delete_cache_rows() -> int:
    """Delete all expired entries of the cache and return how many were deleted."""
    return _delete_in_batches(str(settings.CACHES["default"]["LOCATION"]), "cache_key", "expires")


def _delete_in_batches(table: str, key_column: str, end_column: str) -> int:
    table, key, end = map(connection.ops.quote_name, (table, key_column, end_column))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    deleted = 0
    while keys := _select(f"SELECT {key} FROM {table} WHERE {end} < %s LIMIT {BATCH_SIZE}", now):  # noqa: S608  our own names
        marks = ", ".join(["%s"] * len(keys))
        with connection.cursor() as cursor:
            # The end is compared again, because a row may have been renewed since the SELECT.
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN ({marks}) AND {end} < %s", [*keys, now])  # noqa: S608
            if cursor.rowcount == 0:
                break
            deleted += cursor.rowcount
    return deleted


def _select(query: str, *parameters: Any) -> Sequence[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row[0] for row in cursor.fetchall()]
