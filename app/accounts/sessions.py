"""Whose cookie is this?"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.http.cookie import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User


def session_key_from_cookies(cookies: str) -> str | None:
    """The session named by a Cookie header, read as Django reads it for pages: odd cookies beside it do no harm."""
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)


def get_session_users(session_keys: Sequence[str]) -> list[User | None]:
    """Who is signed in with each of these sessions; None once it is over, or the password has changed since.

    What django.contrib.auth.get_user finds for one request, for many at once. Needs sessions in the database.
    """
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    sessions = {row.session_key: row.get_decoded() for row in rows}
    users = User.objects.filter(is_active=True).in_bulk(
        [data[SESSION_KEY] for data in sessions.values() if SESSION_KEY in data]
    )
    return [_signed_in(sessions.get(key, {}), users) for key in session_keys]


def _signed_in(session: dict[str, Any], users: dict[int, User]) -> User | None:
    user = users.get(int(session.get(SESSION_KEY, 0)))
    if user is None or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    known = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user if any(constant_time_compare(known, valid) for valid in hashes) else None
