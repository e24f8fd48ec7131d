"""manage.py restore FILE: called by deploy/restore. Servers may run; their clients start afresh by themselves."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from chat.models import Message
from chat.services.epochs import EPOCH_TABLE, build_new_epoch_sql
from ops import backups


class Command(BaseCommand):
    help = "Replace everything in the configured database by what a backup holds. On failure nothing changes."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--noinput", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not options["noinput"]:
            self.ask(file)
        try:
            backups.restore_backup(file, required_table=EPOCH_TABLE, final_sql=build_new_epoch_sql())
        except backups.RestoreError as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        call_command("migrate", interactive=False, verbosity=0)  # the backup may be of an older release
        self.stdout.write(f"Restored {Message.objects.count():,} messages from {file}. Clients start afresh.")

    def ask(self, file: Path) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nothing was changed. Without a terminal to ask at, say --noinput.")
        name = connection.settings_dict["NAME"]
        try:
            there = f"its {Message.objects.count():,} messages"
        except DatabaseError:
            there = "what is in it"
        if input(f"Replace {there} in {connection.vendor} {name} by {file}? Type yes: ") != "yes":
            raise CommandError("Nothing was changed.")
