"""manage.py additive: the name of check_migrations in the release before; the next release does not have it."""

from typing import Any

from ops.management.commands import check_migrations


class Command(check_migrations.Command):
    """Does what check_migrations does."""

    help = "The old name of check_migrations."

    def handle(self, *args: Any, **options: Any) -> None:
        """Warn on stderr, then check."""
        self.stderr.write("additive is now called check_migrations; the next release has only that name.")
        super().handle(*args, **options)
