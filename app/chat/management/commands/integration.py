"""manage.py integration: let a program post in rooms, with a token that is told once; and end that."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat.services import integrations
from chat.services.errors import ChatError


class Command(BaseCommand):
    help = "Make a token with which a program posts in rooms (POST /save_message/), and print it, once; or revoke it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what people see beside the words: 'via NAME'")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--room", action="append", metavar="SLUG", help="where it may post; may be given again")
        what.add_argument("--revoke", action="store_true", help="its token is good for nothing from now on")

    def handle(self, *args: Any, name: str, room: list[str] | None, revoke: bool, **options: Any) -> None:
        try:
            if revoke:
                integrations.revoke_integration(name=name)
                self.stderr.write(f"{name} posts no more.")
            else:
                _, token = integrations.create_integration(name=name, rooms=room or ())
                self.stdout.write(token)
        except ChatError as error:
            raise CommandError(error.text) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
