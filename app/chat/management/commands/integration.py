"""manage.py integration: create the token with which a program posts in rooms, or revoke it."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat.services import integrations
from chat.services.errors import ChatError


class Command(BaseCommand):
    """Creates or revokes an integration."""

    help = "Create a token with which a program posts in rooms (POST /save_message/) and print it; or revoke it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("name", help="what users see beside its messages: 'via NAME'")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--room", action="append", metavar="SLUG", help="a room in which it may post; may be repeated"
        )
        what.add_argument("--revoke", action="store_true", help="make its token invalid")

    def handle(self, *args: Any, name: str, room: list[str] | None, revoke: bool, **options: Any) -> None:
        """Print the new token, or revoke the integration."""
        try:
            if revoke:
                integrations.revoke_integration(name=name)
                self.stderr.write(f"Revoked the integration {name}.")
            else:
                _, token = integrations.create_integration(name=name, rooms=room or ())
                self.stdout.write(token)
        except ChatError as error:
            raise CommandError(error.text) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
