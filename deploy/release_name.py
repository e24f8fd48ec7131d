"""The name of a project's release: the same name for the same content, so that a second deployment changes nothing."""

import hashlib
import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from deploy.manifest import Manifest
from deploy.manifest_rules import is_git_address, split_commit

REPO = Path(__file__).resolve().parent.parent
STACK_FOLDERS = ("app/channels_realtime", "app/channels_stack", "deploy")
DIGITS = 8  # of the digest, hexadecimal
SKIPPED = ("__pycache__", "node_modules", ".git")


def make_release_name(manifest: Manifest, source: Path, requirements: Path) -> str:
    """Return the commit, where the project's files are those of one, and a digest of all that the release consists of.

    Args:
        manifest: the project's manifest.
        source: the copy of the project, after its build.
        requirements: the list of its packages.
    """
    digest = hashlib.sha256(repr(replace(manifest, folder=Path())).encode() + requirements.read_bytes())
    for folder in (source, *(REPO / name for name in STACK_FOLDERS)):
        for file in list_files(folder):
            digest.update(f"{file.relative_to(folder)}\0{os.access(file, os.X_OK)}\0".encode())
            digest.update(file.read_bytes())
    commit = find_commit(manifest)
    return f"{commit}-{digest.hexdigest()[:DIGITS]}" if commit else digest.hexdigest()[:DIGITS]


def list_files(folder: Path) -> Iterable[Path]:
    """Yield the files below a folder in a fixed order, without caches."""
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (Path(at, name) for name in sorted(names) if Path(at, name).is_file())


def find_commit(manifest: Manifest) -> str:
    """Return the commit that the project's files are from, or "" where they have changes, or are in no repository."""
    if is_git_address(manifest.source):
        return split_commit(manifest.source)[1][:12]
    if manifest.source or _git(manifest, "status", "--porcelain", "--", ".") != "":
        return ""
    return _git(manifest, "describe", "--always", "--tags") or ""


def _git(manifest: Manifest, *arguments: str) -> str | None:
    """Return what git prints about the project's folder, or None where it is no repository or git is missing."""
    command = ["git", "-C", str(manifest.folder), *arguments]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None
