"""Replaces the site's database and uploaded files by a backup: python -m channels_stack.restore FILE [--noinput].

The servers may run meanwhile. After a failure that is reported as "Nothing was changed", nothing was.
"""

import argparse
import sys
from pathlib import Path

from channels_stack import project

REQUIRED_TABLE = "django_migrations"  # each database of Django has it
NO_FINAL_SQL = "SELECT 1"


def restore_site(dump: Path) -> str:
    """Restore a dump and the uploaded files beside it, and apply newer migrations.

    Returns:
        One sentence about what was restored, and more if the users must sign in again.

    Raises:
        backups.RestoreError: Nothing was changed.
    """
    from django.core.management import call_command  # noqa: PLC0415  after set_up

    from channels_stack import backups, session_keys, uploads  # noqa: PLC0415
    from channels_stack.description import load_site  # noqa: PLC0415

    archive, media_root = backups.media_file(dump), load_site().media_root
    replacement = None
    if archive.exists() and media_root:
        try:
            replacement = uploads.Replacement(archive, Path(media_root))
        except (uploads.Failed, OSError) as error:
            raise backups.RestoreError(str(error)) from error
    try:
        backups.restore_backup(dump, required_table=REQUIRED_TABLE, final_sql=NO_FINAL_SQL)
    except BaseException:
        if replacement is not None:
            replacement.discard()
        raise
    if replacement is not None:
        replacement.complete()
    call_command("migrate", interactive=False, run_syncdb=True, verbosity=0)  # the backup may be of an older release
    files = "and the uploaded files" if replacement is not None else "without uploaded files: there are none beside it"
    return f"Restored the database from {dump}, {files}. {session_keys.describe_lost_sessions()}".rstrip()


def main() -> int:
    """Ask, restore, and print what was done. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m channels_stack.restore",
        description="Replace everything in the site's database, and its uploaded files, by a backup.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a dump that channels_stack.backup made")
    parser.add_argument("--noinput", action="store_true", help="replace without a question")
    options = parser.parse_args()
    if not options.noinput:
        if not sys.stdin.isatty():
            print("Nothing was changed. Without a terminal for the question, use --noinput.", file=sys.stderr)
            return 1
        if input(f"Replace the site's database and uploaded files by {options.file}? Type yes: ") != "yes":
            print("Nothing was changed.", file=sys.stderr)
            return 1

    project.set_up()
    from channels_stack import backups  # noqa: PLC0415  it needs the settings

    try:
        print(restore_site(options.file))
    except backups.RestoreError as error:
        print(f"Nothing was changed. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
