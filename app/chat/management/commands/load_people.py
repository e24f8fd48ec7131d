"""manage.py load_people: create guests with sessions, in rooms, for a load test, and delete them afterwards."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.guests import USERNAME_PREFIX
from accounts.models import User
from accounts.sessions import create_session
from chat.models import Message, Room
from chat.services import rooms

USERNAME_START = USERNAME_PREFIX + "load-"  # no account can have such a username
SLUG = "load-{:04d}"
BATCH_SIZE = 100  # guests in one transaction
SESSION_SECONDS = 2 * 24 * 60 * 60


class Command(BaseCommand):
    """Creates or deletes the guests of a load test."""

    help = "Create guests for a load test and print their sessions as JSON; who reads it can act as these guests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("people", type=int, nargs="?", default=0, help="how many guests to create")
        parser.add_argument(
            "--rooms", type=int, default=20, help="number of rooms, from load-0000 on (default: %(default)s)"
        )
        parser.add_argument(
            "--rooms-each", type=int, default=1, help="rooms that each guest joins (default: %(default)s)"
        )
        parser.add_argument("--remove", action="store_true", help="delete all these guests, their rooms and messages")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the slugs of the rooms and the guests' session keys, or how much was deleted."""
        if options["remove"]:
            self.stdout.write("Deleted {} rooms and {} people.".format(*delete_guests()))
            return
        people, room_count, rooms_each = options["people"], options["rooms"], options["rooms_each"]
        if people < 1 or room_count < 1 or not 1 <= rooms_each <= room_count:
            raise CommandError("Give the number of people, at least 1; --rooms-each must be 1 to --rooms.")
        slugs = [SLUG.format(number) for number in range(room_count)]
        cookies = []
        for first in range(0, people, BATCH_SIZE):
            with transaction.atomic():
                for number in range(first, min(first + BATCH_SIZE, people)):
                    start = number * rooms_each
                    own = [slugs[(start + step) % room_count] for step in range(rooms_each)]
                    cookies.append(create_guest_in_rooms(number, own))
        self.stdout.write(json.dumps({"rooms": slugs, "cookies": cookies}))


def create_guest_in_rooms(number: int, slugs: list[str]) -> str:
    """Create a guest who is in these rooms, and return the key of a session."""
    user = User(username=USERNAME_START + secrets.token_hex(8), display_name=f"Load {number}", is_guest=True)
    user.set_unusable_password()
    user.save()
    for slug in slugs:
        rooms.join_room(slug=slug, user=user)
    return str(create_session(user, max_age_seconds=SESSION_SECONDS).session_key)


@transaction.atomic
def delete_guests() -> tuple[int, int]:
    """Delete the rooms of which only these guests were members, and then the guests without messages in others.

    Returns:
        How many rooms, and how many guests were deleted.
    """
    guests = User.objects.filter(username__startswith=USERNAME_START)
    others = User.objects.exclude(username__startswith=USERNAME_START)
    their_rooms = Room.objects.filter(slug__startswith="load-", memberships__user__in=guests).distinct()
    keys = [room["pk"] for room in their_rooms.exclude(memberships__user__in=others).values("pk")]
    Message.objects.filter(room__in=keys).delete()
    Room.objects.filter(pk__in=keys).delete()
    without_messages = guests.filter(messages=None)
    count = without_messages.count()
    without_messages.delete()
    return len(keys), count
