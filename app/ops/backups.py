"""A folder of backups: each one whole or not there at all, the newest kept.

What a backup is, the database's own tools decide: see postgresql.py and sqlite.py.
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

KEEP = 14  # a fortnight of daily ones
NAME = re.compile(r"parley-\d{8}T\d{6}Z\.dump")
ENGINES: dict[str, ModuleType] = {"postgresql": postgresql, "sqlite": sqlite}


class CannotBackUp(Exception):
    """Says why in a sentence; nothing was changed."""


class CannotRestore(Exception):
    """Says why in a sentence; the database is as it was."""


def engine() -> ModuleType:
    """How the configured database is backed up."""
    return ENGINES[connection.vendor]


def back_up(folder: Path, keep: int = KEEP) -> Path:
    """Store what the database holds now, and forget all but the `keep` newest backups. Raises CannotBackUp.

    The file appears once it is complete, on the disk, and read back.
    """
    with alone_in(folder):
        for left in folder.glob(".parley-*.part"):  # by one that was killed
            left.unlink()
        final = folder / f"parley-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
        part = final.with_name(f".{final.name}.part")
        # It holds password hashes and private words.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            engine().dump(part)
            engine().check(part)
            to_disk(part)
            part.rename(final)
        except (engine().Failed, OSError) as error:
            raise CannotBackUp(str(error)) from error
        finally:
            part.unlink(missing_ok=True)
        to_disk(folder)
        for old in kept(folder)[:-keep]:
            old.unlink()
    return final


def kept(folder: Path) -> list[Path]:
    """The backups of this folder, oldest first; other files are none of ours."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """A timer and an operator may come at the same time; the kernel drops the lock whatever happens to us."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CannotBackUp(f"{folder} is no folder that can be used: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CannotBackUp(f"Another backup into {folder} is running.") from error
    finally:
        os.close(handle)


def to_disk(path: Path) -> None:
    """A power cut must not leave a name without its bytes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def restore(file: Path, *, table: str, also: str) -> None:
    """Make the database what the backup holds, and run the SQL `also`, in one step. Raises CannotRestore.

    Whatever goes wrong on the way, the database is as it was. `table` must be among the backup's, or it is not ours.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError as error:
        raise CannotRestore(f"{file} cannot be read: {error.strerror}.") from error
    made_by = next((name for name, module in ENGINES.items() if start.startswith(module.MAGIC)), None)
    if made_by is None:
        raise CannotRestore(f"{file} is no backup: it begins with {start!r}.")
    if made_by != connection.vendor:
        raise CannotRestore(f"{file} is a backup of {made_by}, and DATABASE_URL is {connection.vendor}.")
    try:
        engine().check(file)
        if table not in engine().tables(file):
            raise CannotRestore(f"{file} has no table {table}: it is a backup of something else.")
        connection.close()
        engine().restore(file, also)
    except (engine().Failed, OSError) as error:
        raise CannotRestore(str(error)) from error
