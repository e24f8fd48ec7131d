"""Backups of SQLite, by its own means: VACUUM INTO, and the backup API."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from django.db import connection

MAGIC = b"SQLite format 3\0"
PATIENCE = 60  # seconds for other writers to finish

Failed = sqlite3.Error


def dump(file: Path) -> None:
    """A snapshot; who writes meanwhile waits for nothing."""
    with closing(sqlite3.connect(live(), timeout=PATIENCE)) as database:
        database.execute("VACUUM INTO ?", [str(file)])


def check(file: Path) -> None:
    """Read all of it."""
    with closing(reading(file)) as database:
        found = [row[0] for row in database.execute("PRAGMA integrity_check")]
        (size,) = database.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    if file.stat().st_size != size:  # a last page that was cut off is read as zeros
        raise sqlite3.DatabaseError(f"{file} is not whole: it should have {size:,} bytes.")
    if found != ["ok"]:
        raise sqlite3.DatabaseError(f"{file} is damaged: {'; '.join(found[:5])}")


def tables(file: Path) -> set[str]:
    with closing(reading(file)) as database:
        return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def restore(file: Path, also: str) -> None:
    """Prepare a copy, then put its pages in place in one transaction of the live database. Servers may run."""
    with (
        tempfile.TemporaryDirectory(dir=live().parent, prefix=".restore-") as folder,
        closing(sqlite3.connect(Path(folder) / "copy.sqlite3")) as copy,
    ):
        with closing(reading(file)) as backup:
            backup.backup(copy)
        keep_ids(copy)
        copy.execute(also)
        copy.commit()
        with closing(sqlite3.connect(live(), timeout=PATIENCE)) as database:
            copy.backup(database)


def keep_ids(copy: sqlite3.Connection) -> None:
    """No id is given out twice. Live servers still remember rooms and people by the ids of what was here."""
    with closing(sqlite3.connect(live(), timeout=PATIENCE)) as database:
        try:
            used = database.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        except sqlite3.DatabaseError:
            return  # there was nothing here, or nothing that can be read
    copy.executemany("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", used)
    copy.executemany(
        "INSERT INTO sqlite_sequence SELECT name, ?2 FROM sqlite_master"
        " WHERE type = 'table' AND name = ?1 AND name NOT IN (SELECT name FROM sqlite_sequence)",
        used,
    )


def reading(file: Path) -> sqlite3.Connection:
    """Nobody writes to it, and its folder may be somebody else's."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def live() -> Path:
    return Path(connection.settings_dict["NAME"])
