"""Which folder has the state of a project on this machine: the one answer for every command.

The folders are in $XDG_STATE_HOME/parley, or ~/.local/state/parley. The first project of a name has the folder NAME; a
project of the same name from another source has NAME-HASH, with a hash of its source. The file source.json in each
folder says whose it is. A folder without that file is of an earlier version: the first project of its name takes it.

A source is a folder, an archive, or a git address without the commit. A folder that was moved or renamed is still the
same source while it has the same inode and time of birth: not after a copy, or a move to another file system.
"""

import fcntl
import hashlib
import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict
from urllib.parse import urlsplit

from deploy.manifest import Manifest
from deploy.manifest_rules import GIT_ADDRESS, is_git_address
from deploy.private_file import write_private
from deploy.program import PROGRAM

RECORD_NAME = "source.json"
HASH_CHARACTERS = 8
Purpose = Literal["run", "host"]
SUFFIXES: Mapping[Purpose, str] = {"run": "", "host": "-host"}
"""What the folder's name has after the project's: what is built for hosts is apart from what runs here."""


class Record(TypedDict):
    """The JSON of source.json: the project that a state folder belongs to."""

    name: str
    """The name of the project when the folder was last used."""
    purpose: Purpose
    source: str
    """The absolute path of its folder or archive, or its git address without the commit."""
    folder_id: str
    """The inode and the time of birth of its folder; "" where there is no folder, or the file system has no births."""


UNREADABLE = Record(name="", purpose="run", source=f"a project whose {RECORD_NAME} cannot be read", folder_id="")


@dataclass(frozen=True)
class StateFolder:
    """The state folder of a project.

    Attributes:
        path: the folder, which need not exist yet.
        note: a sentence for the user when the folder is not called as the project, else "".
    """

    path: Path
    note: str = ""


def find_state_folder(
    manifest: Manifest, env: Mapping[str, str] = os.environ, *, purpose: Purpose = "run"
) -> StateFolder:
    """Return the state folder of a project, and write nothing.

    Args:
        manifest: completed by `discovery.complete`.
        env: has XDG_STATE_HOME, if it is set.
        purpose: what the folder is for.
    """
    return _choose(_state_root(env), _describe_project(manifest, purpose))


def claim_state_folder(
    manifest: Manifest, env: Mapping[str, str] = os.environ, *, purpose: Purpose = "run"
) -> StateFolder:
    """Return the state folder of a project, which exists from now on and has the record of its source.

    Args:
        manifest: completed by `discovery.complete`.
        env: has XDG_STATE_HOME, if it is set.
        purpose: what the folder is for.

    Raises:
        OSError: the folder cannot be created or written.
    """
    root, project = _state_root(env), _describe_project(manifest, purpose)
    with _lock(root):
        chosen = _choose(root, project)
        chosen.path.mkdir(exist_ok=True)
        if _read_record(chosen.path) != project:
            write_private(chosen.path / RECORD_NAME, json.dumps(project, indent=2) + "\n")
    return chosen


def chat_state_folder(name: str, env: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for the log of the chat's containers. The chat of a checkout has no other state there."""
    return _state_root(env) / name


def _state_root(env: Mapping[str, str]) -> Path:
    home = env.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home).absolute() / PROGRAM


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Let no other command choose a folder meanwhile: two new projects of one name could take the same one."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _choose(root: Path, project: Record) -> StateFolder:
    """Return the folder that the project has, or the one that it gets."""
    name = project["name"] + SUFFIXES[project["purpose"]]
    path = _find_own(root, project) or _find_free(root, name, project["source"])
    owner = _read_record(root / name)
    if path.name == name or owner is None:
        return StateFolder(path)
    return StateFolder(path, f"the state folder {root / name} belongs to {owner['source']}; this project has {path}")


def _find_own(root: Path, project: Record) -> Path | None:
    """Return the folder whose record names this project. The folder itself counts more than its path."""
    if not root.is_dir():
        return None
    found = [(path, record) for path in sorted(root.iterdir()) if (record := _read_record(path))]
    owned = [(path, record) for path, record in found if record["purpose"] == project["purpose"]]
    for is_same in (_is_same_folder, _is_same_source):
        for path, record in owned:
            if is_same(record, project):
                return path
    return None


def _is_same_folder(record: Record, project: Record) -> bool:
    """Return whether both are one folder. In its old place with another name, it holds another project now."""
    is_same = record["folder_id"] == project["folder_id"] != ""
    return is_same and (record["name"] == project["name"] or record["source"] != project["source"])


def _is_same_source(record: Record, project: Record) -> bool:
    return (record["name"], record["source"]) == (project["name"], project["source"])


def _find_free(root: Path, name: str, source: str) -> Path:
    """Return the first folder of this name, with or without a hash, that belongs to no project."""
    if _read_record(root / name) is None:
        return root / name
    for number in itertools.count():  # the folder of the first hash may belong to a project that was moved since
        text = source if number == 0 else f"{source} {number}"
        path = root / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]}"
        if _read_record(path) is None:
            return path
    raise AssertionError("itertools.count() has no end")


def _read_record(folder: Path) -> Record | None:
    """Return whose folder it is; None where it has no record, or does not exist."""
    try:
        values = json.loads((folder / RECORD_NAME).read_text())
        return Record(
            name=values["name"], purpose=values["purpose"], source=values["source"], folder_id=values["folder_id"]
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return UNREADABLE  # it belongs to a project, whichever that is


def _describe_project(manifest: Manifest, purpose: Purpose) -> Record:
    source = manifest.address or str(manifest.folder.resolve())
    if manifest.address and is_git_address(manifest.address):
        source = _simplify_git_address(manifest.address)
    folder_id = "" if manifest.address else _identify_folder(manifest.folder)
    return Record(name=manifest.name, purpose=purpose, source=source, folder_id=folder_id)


def _simplify_git_address(address: str) -> str:
    """Return one text for the ways to write an address. It has no password, because it is written to a file."""
    if not GIT_ADDRESS.match(address):
        return str(Path(address).expanduser().resolve())
    address = address.rstrip("/").removesuffix(".git")
    if not address.startswith(("https://", "http://")):
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2].lower()).geturl()


def _identify_folder(folder: Path) -> str:
    """Return the inode and the time of birth, which no other folder of this machine has; "" where one is unknown."""
    command = ["stat", "--format=%i:%.9W", "--", str(folder.resolve())]
    try:
        done = subprocess.run(command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    inode, _, birth = done.stdout.strip().partition(":")
    return f"{inode}:{birth}" if birth.strip("0.-") else ""
