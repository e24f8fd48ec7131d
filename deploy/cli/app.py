"""APP, the argument of every command: the project that is meant."""

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path

from deploy.discovery import complete
from deploy.local.steps import Steps
from deploy.manifest import MANIFEST_NAME, Manifest, NoManifest, WrongManifest, read_manifest
from deploy.manifest_rules import is_git_address, split_commit
from deploy.source import newest_commit, open_source

HELP = "the project: a folder, a git address with @commit, or an archive (default: this folder)"
MAX_NAME_LENGTH = 30


def add_app(parser: argparse.ArgumentParser) -> None:
    """Add the argument APP."""
    parser.add_argument("app", nargs="?", default=".", metavar="APP", help=HELP)


def load_app(app: str) -> Manifest:
    """Return the manifest of a project, completed by what its files say.

    A project without stack.toml gets the name of its folder, of its repository or of its archive, and every default.

    Args:
        app: a folder, a git address with or without @commit, or an archive.

    Raises:
        WrongManifest: the manifest cannot be used, there is no such project, or something cannot be decided.
    """
    if is_git_address(app):
        with Steps(f"fetching {app}", sys.stderr):  # standard output may be a report
            return complete(_load_elsewhere(app if split_commit(app)[1] else f"{app}@{newest_commit(app)}"))
    path = Path(app).expanduser()
    return complete(_read_or_default(path.resolve(), "") if path.is_dir() else _load_elsewhere(str(path.absolute())))


def _load_elsewhere(source: str) -> Manifest:
    """Return the manifest of a git address with its commit, or of an archive."""
    manifest = _read_or_default(open_source(Manifest(name="", folder=Path.cwd(), source=source)), source)
    return replace(manifest, address=split_commit(source)[0] if is_git_address(source) else source)


def _read_or_default(folder: Path, source: str) -> Manifest:
    """Read the manifest of a folder, or return one with all defaults. `source` is where the folder comes from."""
    try:
        return read_manifest(folder)
    except NoManifest:
        if not any(folder.rglob("manage.py")):
            raise WrongManifest(
                [f"{folder} has neither {MANIFEST_NAME} nor manage.py: is it the folder of a Django project?"]
            ) from None
        return Manifest(name=make_name(source or folder.name), folder=folder)


def make_name(text: str) -> str:
    """Return a name for a site from a folder's name, a git address or the name of an archive."""
    last = split_commit(text)[0].rstrip("/").rpartition("/")[2] if text else ""
    words = re.sub(r"\.(git|tar\.gz|tgz|zip)$", "", last).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).lstrip("-0123456789").rstrip("-")[:MAX_NAME_LENGTH].rstrip("-") or "site"
