"""A database as strict as PostgreSQL, and a log that must have no errors."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError
from django.db.backends.signals import connection_created


def _refuse_what_postgres_refuses(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    for value in params or ():
        if isinstance(value, str) and "\0" in value:
            raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise DataError("bigint out of range")
    return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def strict_database(transactional_db: None) -> Iterator[None]:
    """SQLite takes more than PostgreSQL does; here it does not."""

    def watch(connection: Any, **signal: Any) -> None:
        connection.execute_wrappers.append(_refuse_what_postgres_refuses)

    connection_created.connect(watch)
    yield
    connection_created.disconnect(watch)


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that anybody sends is an error of ours."""
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert [r.getMessage() for r in records if r.levelno >= logging.ERROR or r.exc_info] == []
