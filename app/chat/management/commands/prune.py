"""manage.py prune: called by a timer, once a day. Safe to repeat and to interrupt."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.services.cleanup import delete_empty_rooms, delete_stale_guests
from ops import expired

DAYS = 30  # as long as a session lasts: SESSION_COOKIE_AGE


class Command(BaseCommand):
    help = "Delete what is over: sessions, cache rows, guests who cannot come back and have said nothing, empty rooms."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help="age of guests and rooms (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError("--days must be 1 or more.")
        since = timezone.now() - timedelta(days=options["days"])
        # In this order: who has no session left is forgotten, and then the rooms that this leaves empty.
        gone = {
            "sessions": expired.delete_sessions(),
            "cache rows": expired.delete_cache_rows(),
            "guests": delete_stale_guests(since=since),
            "rooms": delete_empty_rooms(since=since),
        }
        self.stdout.write("Deleted " + ", ".join(f"{count} {what}" for what, count in gone.items()) + ".")
