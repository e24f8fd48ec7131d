"""manage.py prune: a timer runs it once a day. It is safe to repeat and to interrupt it."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.services.cleanup import delete_empty_rooms, delete_stale_guests
from ops import expired

DEFAULT_DAYS = settings.SESSION_COOKIE_AGE // 86_400  # a guest cannot return once the session has expired


class Command(BaseCommand):
    """Deletes expired and unused rows."""

    help = "Delete expired sessions and cache rows, guests who cannot return and wrote nothing, and empty rooms."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's option."""
        parser.add_argument(
            "--days", type=int, default=DEFAULT_DAYS, help="minimum age of guests and rooms (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many rows of each kind were deleted."""
        if options["days"] < 1:
            raise CommandError("--days must be 1 or more.")
        since = timezone.now() - timedelta(days=options["days"])
        # In this order: guests without a session are deleted, and then the rooms that this leaves empty.
        deleted = {
            "sessions": expired.delete_sessions(),
            "cache rows": expired.delete_cache_rows(),
            "guests": delete_stale_guests(since=since),
            "rooms": delete_empty_rooms(since=since),
        }
        self.stdout.write("Deleted " + ", ".join(f"{count} {what}" for what, count in deleted.items()) + ".")
