"""manage.py load_people: guests with sessions, in rooms, for a load test; and away with them afterwards."""

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

PREFIX = USERNAME_PREFIX + "load-"  # of user names: nobody can sign up with it
SLUG = "load-{:04d}"
AT_ONCE = 100  # people in a transaction
SESSION_SECONDS = 2 * 24 * 60 * 60


class Command(BaseCommand):
    help = "Make guests for a load test and print their sessions as JSON: whoever reads it is signed in as them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=int, nargs="?", default=0, help="how many")
        parser.add_argument("--rooms", type=int, default=20, help="load-0000 and so on (default: %(default)s)")
        parser.add_argument("--rooms-each", type=int, default=1, help="that one is in (default: %(default)s)")
        parser.add_argument("--remove", action="store_true", help="delete them all, their rooms and what they said")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self.stdout.write("Deleted {} rooms and {} people.".format(*remove()))
            return
        people, many, each = options["people"], options["rooms"], options["rooms_each"]
        if people < 1 or many < 1 or not 1 <= each <= many:
            raise CommandError("Say how many people, at least 1; --rooms-each is 1 to --rooms.")
        slugs = [SLUG.format(number) for number in range(many)]
        cookies = []
        for first in range(0, people, AT_ONCE):
            with transaction.atomic():
                some = range(first, min(first + AT_ONCE, people))
                cookies += [make(one, [slugs[(one * each + step) % many] for step in range(each)]) for one in some]
        self.stdout.write(json.dumps({"rooms": slugs, "cookies": cookies}))


def make(number: int, slugs: list[str]) -> str:
    """A guest who is in these rooms; returns the key of a session."""
    user = User(username=PREFIX + secrets.token_hex(8), display_name=f"Load {number}", is_guest=True)
    user.set_unusable_password()
    user.save()
    for slug in slugs:
        rooms.join_room(slug=slug, user=user)
    return str(create_session(user, max_age_seconds=SESSION_SECONDS).session_key)


@transaction.atomic
def remove() -> tuple[int, int]:
    """Delete rooms that none but these people were ever in, with what was said there; then whoever spoke nowhere else.

    Returns how many of each.
    """
    ours = User.objects.filter(username__startswith=PREFIX)
    theirs = Room.objects.filter(slug__startswith="load-", memberships__user__in=ours).distinct()
    gone = list(theirs.exclude(memberships__user__in=User.objects.exclude(username__startswith=PREFIX)).values("pk"))
    keys = [room["pk"] for room in gone]
    Message.objects.filter(room__in=keys).delete()
    Room.objects.filter(pk__in=keys).delete()
    silent = ours.filter(messages=None)
    number = silent.count()
    silent.delete()
    return len(keys), number
