"""Stores a backup of the site's database and uploaded files: python -m channels_stack.backup FOLDER [--keep N]."""

import argparse
import sys
from pathlib import Path

from channels_stack import project


def main() -> int:
    """Make a backup and print its files. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m channels_stack.backup",
        description="Store the site's database and uploaded files in FOLDER, read them back, and delete all but the"
        " newest backups.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="an existing folder")
    parser.add_argument("--keep", type=int, metavar="N", help="how many backups stay in FOLDER (default: 14)")
    options = parser.parse_args()
    if options.keep is not None and options.keep < 1:
        parser.error("--keep must be 1 or more")

    project.set_up()
    from channels_stack import backups  # noqa: PLC0415  it needs the settings
    from channels_stack.description import load_site  # noqa: PLC0415

    site = load_site()
    try:
        dump = backups.create_backup(
            options.folder,
            options.keep or backups.MAX_BACKUPS,
            name=site.name,
            media=Path(site.media_root) if site.media_root else None,
        )
    except backups.BackupError as error:
        print(f"No backup was made. {error}", file=sys.stderr)
        return 1
    for file in (dump, backups.media_file(dump)):
        if file.exists():
            print(f"{file} ({file.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
