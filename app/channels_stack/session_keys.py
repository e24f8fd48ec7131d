"""Says after a restore whether the sessions in the backup are still valid."""

from django.apps import apps
from django.utils import timezone

MAX_CHECKED_SESSIONS = 1000  # the newest; some 20 ms


def describe_lost_sessions() -> str:
    """Return a sentence about sessions that this site cannot read, or "" when it reads all of them.

    A session is signed with the SECRET_KEY of the site that stored it. Only sessions in the database are looked at.
    """
    if not apps.is_installed("django.contrib.sessions"):
        return ""
    from django.contrib.sessions.models import Session  # noqa: PLC0415  it is a model of an app that may be missing

    newest = Session.objects.filter(expire_date__gt=timezone.now()).order_by("-expire_date")[:MAX_CHECKED_SESSIONS]
    readable = [bool(session.get_decoded()) for session in newest]
    if all(readable):
        return ""
    return (
        f"{readable.count(False)} of {len(readable)} sessions in the backup were signed with another SECRET_KEY, so "
        "their users must sign in again. To keep them signed in, copy SECRET_KEY, SECRET_KEY_FALLBACKS and "
        "SESSION_HASH_KEY from the site that made the backup, and restart the services."
    )
