"""manage.py additive: the release step asks before it migrates."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ops.additive import refusals


class Command(BaseCommand):
    help = "Refuse migrations, not yet applied, on which the release before could not run. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept", action="append", default=[], metavar="APP.NAME", help="apply this one nevertheless"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        names = [(migration.app_label, migration.name) for migration, _ in plan]
        if not executor.loader.applied_migrations:
            self.stdout.write("A new database: there is no release before.")
            return
        found = refusals(executor.loader, [name for name in names if ".".join(name) not in options["accept"]])
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(f"{len(names)} migrations to apply, all of them additive.")
