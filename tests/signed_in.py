"""Sessions without the doors of the site, which count tries by address.

Needs nothing but the site's own code: tests/docker sends this file as it stands into a container.
"""

from collections.abc import Iterable

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User


def session_of(user: User) -> str:
    """Sign the user in; returns the session's key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def sessions_of(names: Iterable[str]) -> list[str]:
    """Of these people, who are made where they do not exist."""
    people = (User.objects.get_or_create(username=name, defaults={"display_name": name[:20]})[0] for name in names)
    return [session_of(user) for user in people]
