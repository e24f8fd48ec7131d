"""Backups of SQLite, by its own means: VACUUM INTO and the backup API."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from django.db import connection

MAGIC = b"SQLite format 3\0"  # the first bytes of a database file
LOCK_TIMEOUT_SECONDS = 60  # how long a backup or restore waits for other writers

Failed = sqlite3.Error


def dump(file: Path) -> None:
    """Write a snapshot of the database into an empty file. Writers do not wait for it."""
    with closing(sqlite3.connect(_database_file(), timeout=LOCK_TIMEOUT_SECONDS)) as database:
        database.execute("VACUUM INTO ?", [str(file)])


def verify(file: Path) -> None:
    """Read the whole backup.

    Raises:
        sqlite3.DatabaseError: The backup is damaged or cut off.
    """
    with closing(_open_backup(file)) as database:
        findings = [row[0] for row in database.execute("PRAGMA integrity_check")]
        (size,) = database.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    if file.stat().st_size != size:  # SQLite reads a last page that was cut off as zeros
        raise sqlite3.DatabaseError(f"{file} is not complete: it should have {size:,} bytes.")
    if findings != ["ok"]:
        raise sqlite3.DatabaseError(f"{file} is damaged: {'; '.join(findings[:5])}")


def list_tables(file: Path) -> set[str]:
    """Return the names of the tables in the backup."""
    with closing(_open_backup(file)) as database:
        return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def restore(file: Path, final_sql: str) -> None:
    """Prepare a copy, then replace the pages of the live database by the copy's in one transaction.

    Servers may run meanwhile. On any failure the database stays as it was.
    """
    with (
        tempfile.TemporaryDirectory(dir=_database_file().parent, prefix=".restore-") as folder,
        closing(sqlite3.connect(Path(folder) / "copy.sqlite3")) as copy,
    ):
        with closing(_open_backup(file)) as backup:
            backup.backup(copy)
        _keep_used_ids(copy)
        copy.execute(final_sql)
        copy.commit()
        with closing(sqlite3.connect(_database_file(), timeout=LOCK_TIMEOUT_SECONDS)) as database:
            copy.backup(database)


def _keep_used_ids(copy: sqlite3.Connection) -> None:
    """Let ids continue after those of the live database: running servers remember rooms and users by their ids."""
    with closing(sqlite3.connect(_database_file(), timeout=LOCK_TIMEOUT_SECONDS)) as database:
        try:
            used = database.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        except sqlite3.DatabaseError:
            return  # the live database is empty or cannot be read
    copy.executemany("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", used)
    copy.executemany(
        "INSERT INTO sqlite_sequence SELECT name, ?2 FROM sqlite_master"
        " WHERE type = 'table' AND name = ?1 AND name NOT IN (SELECT name FROM sqlite_sequence)",
        used,
    )


def _open_backup(file: Path) -> sqlite3.Connection:
    """Open a file that no process writes to, in a folder that may not be writable."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _database_file() -> Path:
    return Path(connection.settings_dict["NAME"])
