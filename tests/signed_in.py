"""Sessions of test users, made without the sign-in pages, which limit attempts by address.

This file needs nothing but the site's own code: tests/docker sends it as it is into a container.
"""

from collections.abc import Iterable

from accounts.models import User
from accounts.sessions import create_session


def session_of(user: User) -> str:
    """Sign the user in; returns the session's key."""
    return str(create_session(user).session_key)


def sessions_of(names: Iterable[str]) -> list[str]:
    """The sessions of users with these usernames, who are created where they do not exist."""
    users = (User.objects.get_or_create(username=name, defaults={"display_name": name[:20]})[0] for name in names)
    return [session_of(user) for user in users]
