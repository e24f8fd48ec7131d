"""manage.py check_migrations: a release runs it before it migrates."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from channels_stack.backward_compatible import find_problems


class Command(BaseCommand):
    """Refuses unapplied migrations on which the release before could not run."""

    help = (
        "Refuse unapplied migrations on which the release before could not run; change nothing. A migration of your "
        'own that is safe nevertheless has an attribute: safe_because = "No release since 0.4 reads the column."'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="APP.NAME",
            help="do not check this migration of another package; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise CommandError with one line for each problem."""
        executor = MigrationExecutor(connection)
        if not executor.loader.applied_migrations:
            self.stdout.write("The database is new: there is no release before.")
            return
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        names = [(migration.app_label, migration.name) for migration, _ in plan]
        problems = find_problems(executor.loader, [name for name in names if ".".join(name) not in options["accept"]])
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"{len(names)} migrations to apply, all of them backward compatible.")
