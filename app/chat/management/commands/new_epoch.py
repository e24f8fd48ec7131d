"""manage.py new_epoch: after the database was put back to an older day by other means than deploy/restore."""

from typing import Any

from django.core.management.base import BaseCommand

from chat.services.epochs import begin_epoch


class Command(BaseCommand):
    help = "Tell every client to forget what it has, and start from what the database holds now."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"The epoch is now {begin_epoch()}.")
