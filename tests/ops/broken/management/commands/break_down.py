from django.core.management.base import BaseCommand, CommandParser

from tests.ops.broken.apps import Mistake


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("secret")

    def handle(self, *, secret: str, **options: object) -> None:
        raise Mistake(secret)
