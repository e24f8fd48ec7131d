"""A folder of backups of a site. A backup is complete or does not exist; only the newest are kept.

A backup is a dump of the database and, where the site has uploaded files, an archive of them beside it: NAME-TIME.dump
and NAME-TIME.media.tar. The dump is made first, because a row is stored after the file that it names, and gets its name
last: a dump without an archive belongs to a site without uploaded files.

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

from channels_stack import postgresql, sqlite, uploads

MAX_BACKUPS = 14  # two weeks of daily backups
SITE_NAME = "parley"  # the name of a site that has no site description
TIME_PATTERN = r"\d{8}T\d{6}Z"
ENGINES: dict[str, ModuleType] = {"postgresql": postgresql, "sqlite": sqlite}  # by connection.vendor


class BackupError(Exception):
    """No backup was made; the message is a sentence that says why."""


class RestoreError(Exception):
    """The database was not changed; the message is a sentence that says why."""


def get_engine() -> ModuleType:
    """Return the module that backs up the configured database. Raises BackupError for one that none can back up."""
    if connection.vendor not in ENGINES:
        raise BackupError(f"There is no backup for databases of {connection.vendor}.")
    return ENGINES[connection.vendor]


def create_backup(
    folder: Path, max_backups: int = MAX_BACKUPS, *, name: str = SITE_NAME, media: Path | None = None
) -> Path:
    """Store the site's content in new files of the folder, and delete all but the newest backups.

    The files get their names once they are complete, on the disk and read back.

    Args:
        folder: An existing folder. Files that are no backups are left alone.
        max_backups: How many backups are kept, the new one included.
        name: The site's name, with which the files' names begin.
        media: The folder of uploaded files; None where the site has none.

    Returns:
        The new dump, `NAME-<UTC time>.dump`.

    Raises:
        BackupError: Another backup into the folder is running, or the database's tool failed.
    """
    engine = get_engine()
    with _locked(folder):
        for leftover in folder.glob(f".{name}-*.part"):  # of a backup that was killed
            leftover.unlink()
        final = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
        part, media_part = (file.with_name(f".{file.name}.part") for file in (final, media_file(final)))
        older = list_backups(folder, name)
        try:
            _create_private(part)
            engine.dump(part)
            engine.verify(part)
            _sync_to_disk(part)
            if media is not None:
                _create_private(media_part)
                uploads.archive(media, media_part)
                uploads.verify(media_part)
                if older and media_file(older[-1]).exists():
                    uploads.share_content(media_part, media_file(older[-1]))
                _sync_to_disk(media_part)
                media_part.rename(media_file(final))
            part.rename(final)
        except (engine.Failed, uploads.Failed, OSError) as error:
            raise BackupError(str(error)) from error
        finally:
            part.unlink(missing_ok=True)
            media_part.unlink(missing_ok=True)
        _sync_to_disk(folder)
        for old in list_backups(folder, name)[:-max_backups]:
            old.unlink()
        _delete_lone_archives(folder, name)
    return final


def media_file(dump: Path) -> Path:
    """Return the archive of uploaded files that belongs to a dump. It exists where the site has such files."""
    return dump.with_suffix(".media.tar")


def list_backups(folder: Path, name: str = SITE_NAME) -> list[Path]:
    """Return the dumps of a site in this folder, the oldest first."""
    pattern = re.compile(rf"{re.escape(name)}-{TIME_PATTERN}\.dump")
    return sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def _delete_lone_archives(folder: Path, name: str) -> None:
    """Delete the archives whose dump is deleted, or never got its name."""
    pattern = re.compile(rf"{re.escape(name)}-{TIME_PATTERN}\.media\.tar")
    for path in folder.iterdir():
        if pattern.fullmatch(path.name) and not path.with_suffix("").with_suffix(".dump").exists():
            path.unlink()


def _create_private(file: Path) -> None:
    # It contains password hashes and private messages.
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


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
