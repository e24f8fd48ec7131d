"""A folder of backups of the database. A backup is complete or does not exist; only the newest are kept.

postgresql.py and sqlite.py make and restore them with the database's own tools.

Why django-dbbackup does not do this: it restores SQLite statement by statement and only warns of one that fails, keeps
a dump without reading it back, and cannot run a statement (the new epoch) in the transaction of the restore.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from django.db import connection

from ops import postgresql, sqlite

MAX_BACKUPS = 14  # two weeks of daily backups
NAME = re.compile(r"parley-\d{8}T\d{6}Z\.dump")
ENGINES: dict[str, ModuleType] = {"postgresql": postgresql, "sqlite": sqlite}  # by connection.vendor


class BackupError(Exception):
    """No backup was made; the message is a sentence that says why."""


class RestoreError(Exception):
    """The database was not changed; the message is a sentence that says why."""


def get_engine() -> ModuleType:
    """Return the module that backs up the configured database."""
    return ENGINES[connection.vendor]


def create_backup(folder: Path, max_backups: int = MAX_BACKUPS) -> Path:
    """Store the database's content in a new file of the folder, and delete all but the newest backups.

    The file gets its name once it is complete, on the disk and read back.

    Args:
        folder: An existing folder. Files that are no backups are left alone.
        max_backups: How many backups are kept, the new one included.

    Returns:
        The new file, `parley-<UTC time>.dump`.

    Raises:
        BackupError: Another backup into the folder is running, or the database's tool failed.
    """
    with _locked(folder):
        for leftover in folder.glob(".parley-*.part"):  # of a backup that was killed
            leftover.unlink()
        final = folder / f"parley-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
        part = final.with_name(f".{final.name}.part")
        # It contains password hashes and private messages.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        engine = get_engine()
        try:
            engine.dump(part)
            engine.verify(part)
            _sync_to_disk(part)
            part.rename(final)
        except (engine.Failed, OSError) as error:
            raise BackupError(str(error)) from error
        finally:
            part.unlink(missing_ok=True)
        _sync_to_disk(folder)
        for old in list_backups(folder)[:-max_backups]:
            old.unlink()
    return final


def list_backups(folder: Path) -> list[Path]:
    """Return the backups of this folder, the oldest first."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. A timer and an operator may run at the same time; the kernel unlocks for a dead process.

    Raises:
        BackupError: The folder cannot be opened, or another process holds the lock.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BackupError(f"{folder} is no folder that can be used: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BackupError(f"Another backup into {folder} is running.") from error
    finally:
        os.close(handle)


def _sync_to_disk(path: Path) -> None:
    """Write a file or a folder through to the disk, so that no power cut leaves a name without its content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def restore_backup(file: Path, *, required_table: str, final_sql: str) -> None:
    """Replace the database's content by a backup's, in one transaction.

    Args:
        file: The backup.
        required_table: A table that a backup of this site has; a file without it is refused.
        final_sql: A statement that runs in the same transaction, after the data is there.

    Raises:
        RestoreError: The file is no backup of this site and this kind of database, or the database's tool failed.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError as error:
        raise RestoreError(f"{file} cannot be read: {error.strerror}.") from error
    vendor = next((name for name, module in ENGINES.items() if start.startswith(module.MAGIC)), None)
    if vendor is None:
        raise RestoreError(f"{file} is no backup: it begins with {start!r}.")
    if vendor != connection.vendor:
        raise RestoreError(f"{file} is a backup of {vendor}, and DATABASE_URL is {connection.vendor}.")
    engine = get_engine()
    try:
        engine.verify(file)
        if required_table not in engine.list_tables(file):
            raise RestoreError(f"{file} has no table {required_table}: it is a backup of something else.")
        connection.close()
        engine.restore(file, final_sql)
    except (engine.Failed, OSError) as error:
        raise RestoreError(str(error)) from error
