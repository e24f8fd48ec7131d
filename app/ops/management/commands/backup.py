"""manage.py backup FOLDER: called by deploy/backup and by a timer."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ops import backups


class Command(BaseCommand):
    help = "Store the whole database as FOLDER/parley-<UTC>.dump, read it back, and keep the newest ones."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keep", type=int, default=backups.KEEP, help="how many (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] < 1:
            raise CommandError("--keep must be 1 or more.")
        try:
            made = backups.back_up(options["folder"], options["keep"])
        except backups.CannotBackUp as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(f"{made} ({made.stat().st_size:,} bytes)")
