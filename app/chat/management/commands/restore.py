"""manage.py restore FILE: deploy/restore runs it. Servers may run; their clients reload their rooms."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from channels_stack import backups, session_keys
from chat.models import Message
from chat.services.epochs import EPOCH_TABLE, build_new_epoch_sql


class Command(BaseCommand):
    """Restores a backup of the database."""

    help = "Replace everything in the configured database by a backup. After a failure the database is as it was."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("file", type=Path, help="a file that deploy/backup made")
        parser.add_argument("--noinput", action="store_true", help="replace the database without a question")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore the backup, apply newer migrations, and print how many messages there are."""
        file: Path = options["file"]
        if not options["noinput"]:
            self._confirm(file)
        try:
            backups.restore_backup(file, required_table=EPOCH_TABLE, final_sql=build_new_epoch_sql())
        except backups.RestoreError as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        call_command("migrate", interactive=False, verbosity=0)  # the backup may be of an older release
        self.stdout.write(f"Restored {Message.objects.count():,} messages from {file}. Clients reload their rooms.")
        if lost := session_keys.describe_lost_sessions():
            self.stdout.write(lost)

    def _confirm(self, file: Path) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nothing was changed. Without a terminal for the question, use --noinput.")
        name = connection.settings_dict["NAME"]
        try:
            content = f"its {Message.objects.count():,} messages"
        except DatabaseError:
            content = "what is in it"
        if input(f"Replace {content} in {connection.vendor} {name} by {file}? Type yes: ") != "yes":
            raise CommandError("Nothing was changed.")
