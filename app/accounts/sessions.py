"""Sessions in the database: creating and ending them, and finding the users behind them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http.cookie import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"  # of users who are signed in without allauth


def create_session(user: User, *, max_age_seconds: int | None = None) -> SessionStore:
    """Sign the user in without a request, and return the stored session.

    Args:
        user: An account, or a guest.
        max_age_seconds: When the session expires; None for SESSION_COOKIE_AGE.
    """
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if max_age_seconds is not None:
        session.set_expiry(max_age_seconds)
    session.create()
    return session


def session_key_from_cookies(cookies: str) -> str | None:
    """Return the session key in a Cookie header, parsed as Django parses it for pages; None when it has none."""
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)


def get_session_users(session_keys: Sequence[str]) -> list[User | None]:
    """Return the user of each session, as django.contrib.auth.get_user does for one request.

    None stands for a session that does not exist, has expired, or was made before the user's last change of password,
    and for a user who is not active.
    """
    sessions = {row.session_key: row.get_decoded() for row in _valid_sessions().filter(session_key__in=session_keys)}
    users = User.objects.filter(is_active=True).in_bulk(
        [data[SESSION_KEY] for data in sessions.values() if SESSION_KEY in data]
    )
    return [_authenticated_user(sessions.get(key, {}), users) for key in session_keys]


def get_user_id(session: Session) -> int | None:
    """Return the id of the user who is signed in with this session; None for an anonymous one."""
    key = session.get_decoded().get(SESSION_KEY)
    return int(key) if key else None


def get_signed_in_user_ids() -> set[int]:
    """Return the ids of all users who have a valid session."""
    return {user_id for _, user_id in _signed_in_sessions()}


def end_sessions(user_ids: set[int]) -> int:
    """Sign these users out everywhere; their WebSockets close and their tokens end. Return how many sessions ended."""
    ended = 0
    for session, user_id in _signed_in_sessions():
        if user_id in user_ids:
            session.delete()
            ended += 1
    return ended


def _valid_sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__gt=timezone.now())


def _signed_in_sessions() -> Iterator[tuple[Session, int]]:
    for session in _valid_sessions().iterator(chunk_size=1000):
        if (user_id := get_user_id(session)) is not None:
            yield session, user_id


def _authenticated_user(session: dict[str, Any], users: dict[int, User]) -> User | None:
    user = users.get(int(session.get(SESSION_KEY, 0)))
    if user is None or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    session_hash = session.get(HASH_SESSION_KEY, "")
    valid_hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user if any(constant_time_compare(session_hash, valid) for valid in valid_hashes) else None
