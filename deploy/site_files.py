"""The files of a project that nginx serves: what a release does to them after collectstatic.

It needs no packages: a project's own containers run it.
"""

import re
import shutil
from pathlib import Path

STATIC_TYPES = (".js", ".mjs", ".html")  # in which nginx's rewriting of ws:// has to be done in the file
PAGE_TYPES = (*STATIC_TYPES, ".htm", ".vue", ".jsx", ".ts", ".tsx")


def contains_plain_websocket(source: Path) -> bool:
    """Return whether a page or a script of the project opens `ws://` addresses."""
    return any(
        b"ws://" in file.read_bytes() for file in source.rglob("*") if file.suffix in PAGE_TYPES and file.is_file()
    )


def rewrite_static_files(folder: Path) -> None:
    """Replace ws:// by wss:// in the collected scripts: nginx serves these files as they are."""
    for file in folder.rglob("*"):
        if file.suffix in STATIC_TYPES and file.is_file():
            before = file.read_bytes()
            after = re.sub(rb"\bws://", b"wss://", before)
            if after != before:
                file.write_bytes(after)
                for packed in (".gz", ".br"):
                    file.with_name(file.name + packed).unlink(missing_ok=True)


def copy_committed_media(committed: Path, media: Path, *, source: Path) -> None:
    """Copy uploads that belong to the project, such as a default picture, where the site has none of that name.

    Args:
        committed: MEDIA_ROOT of the project itself. Outside of `source` there is nothing to copy.
        media: the site's folder of uploaded files.
        source: the folder of the project.
    """
    if not committed.is_dir() or committed == source or not committed.is_relative_to(source):
        return
    for file in committed.rglob("*"):
        target = media / file.relative_to(committed)
        if file.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
