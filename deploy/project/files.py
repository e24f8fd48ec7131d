"""Which files of a folder belong to the project: not its history, virtual environments, caches and editors' files."""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".idea",
        ".vscode",
        ".vs",
        ".cache",
        ".parcel-cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".eggs",
        ".ipynb_checkpoints",
        "__pycache__",
        "__MACOSX",
        "node_modules",
        "bower_components",
        "site-packages",
    }
)
LEFT_OUT_FILES = ("*.pyc", "*.pyo", "*.swp", "*.swo", "*~", ".#*", "#*#", ".DS_Store", "Thumbs.db", "desktop.ini")
# Files that only an environment of Python has at these places; one that was committed may have lost its pyvenv.cfg.
ENVIRONMENT_MARKS = ("pyvenv.cfg", "bin/activate", "Scripts/activate", "Scripts/activate.bat", "conda-meta")

DATABASE_SUFFIXES = (".sqlite3", ".sqlite", ".db", ".db3")
JOURNAL_SUFFIXES = ("-journal", "-wal", "-shm")
SQLITE_MAGIC = b"SQLite format 3\0"


def is_left_out_folder(folder: Path) -> bool:
    """Return whether the files of this folder are no part of the project."""
    return folder.name in LEFT_OUT_FOLDERS or any((folder / mark).exists() for mark in ENVIRONMENT_MARKS)


def is_left_out_file(name: str) -> bool:
    """Return whether a file of this name is what an editor, a system or Python leaves behind."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT_OUT_FILES)


def is_sqlite_database(path: Path) -> bool:
    """Return whether the file is a database of SQLite, or the journal of one."""
    name = path.name
    for suffix in JOURNAL_SUFFIXES:
        if name.endswith(suffix) and name.removesuffix(suffix).endswith(DATABASE_SUFFIXES):
            return True
    if not name.endswith(DATABASE_SUFFIXES):
        return False
    try:
        with path.open("rb") as file:
            start = file.read(len(SQLITE_MAGIC))
    except OSError:
        return False
    return start in {b"", SQLITE_MAGIC}  # migrate leaves an empty file when it stops early


def walk(top: Path) -> Iterator[Path]:
    """Yield the regular files of the project below `top`, in order, by absolute path. It follows no symbolic link."""
    for folder, folder_names, file_names in os.walk(top):
        here = Path(folder)
        folder_names[:] = sorted(
            name for name in folder_names if not (here / name).is_symlink() and not is_left_out_folder(here / name)
        )
        for name in sorted(file_names):
            path = here / name
            if not is_left_out_file(name) and path.is_file() and not path.is_symlink():
                yield path
