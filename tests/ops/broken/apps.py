from django.apps import AppConfig


class Mistake(Exception):
    """Ours."""


class Broken(AppConfig):
    name = "tests.ops.broken"

    def ready(self) -> None:
        from chat.services import rooms

        def mark_read(*, slug: str, user: object, seq: int) -> None:
            secret = f"{user} has read {slug}"  # in a local variable and in the error's message
            raise Mistake(secret)

        rooms.mark_read = mark_read
