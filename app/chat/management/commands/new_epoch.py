"""manage.py new_epoch: run it after the database was restored by other means than deploy/restore."""

from typing import Any

from django.core.management.base import BaseCommand

from chat.services.epochs import begin_epoch


class Command(BaseCommand):
    """Gives the site a new epoch."""

    help = "Give the site a new epoch: every client then reloads its rooms from the database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the new epoch."""
        self.stdout.write(f"The epoch is now {begin_epoch()}.")
