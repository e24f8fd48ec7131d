"""manage.py backup FOLDER: deploy/backup and a timer run it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_stack import backups


class Command(BaseCommand):
    """Stores a backup of the database."""

    help = f"Store the whole database in FOLDER/{backups.SITE_NAME}-<UTC>.dump; delete all but the newest backups."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("folder", type=Path, help="an existing folder")
        parser.add_argument(
            "--keep",
            type=int,
            default=backups.MAX_BACKUPS,
            help="how many backups stay in FOLDER (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the backup and print its file and size."""
        if options["keep"] < 1:
            raise CommandError("--keep must be 1 or more.")
        try:
            file = backups.create_backup(options["folder"], options["keep"])
        except backups.BackupError as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"{file} ({file.stat().st_size:,} bytes)")
