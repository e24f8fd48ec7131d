"""Authenticates a socket: by the session cookie of a page, or by an access token, which ends and is renewed."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from accounts.models import User
from accounts.sessions import session_key_from_cookies
from accounts.tokens import AccessToken, read_access_token
from chat import limits
from chat.ws.application import ChatApplication


class Credential(NamedTuple):
    """A valid credential: the user, the session that has to last, and the token, if it did not come as a cookie."""

    user: User
    session: str
    token: AccessToken | None


async def find_credential(application: ChatApplication, token: str | None, cookies: str) -> Credential | None:
    """Return the credential of a client, or None if it is not valid.

    Args:
        application: Looks up the user, together with other simultaneous logins.
        token: An access token, or None: then the session cookie counts.
        cookies: The Cookie header of the handshake.

    Raises:
        django.db.Error: The database is away.
    """
    access_token = None
    if token is not None:
        access_token = read_access_token(token)
        session = access_token.session if access_token else None
    else:
        session = session_key_from_cookies(cookies)
    user = await application.find_user(session) if session else None
    if session is None or user is None or (access_token and not access_token.belongs_to(user)):
        return None
    return Credential(user, session, access_token)


class TokenExpiry:
    """Watches the end of a socket's access token: first it gives notice, then it reports the end."""

    def __init__(self, on_expiring: Callable[[float], None], on_expired: Callable[[], None]) -> None:
        """Create it without a token.

        Args:
            on_expiring: Called with the seconds that are left, EXPIRY_NOTICE_SECONDS before the end.
            on_expired: Called at the end.
        """
        self._on_expiring = on_expiring
        self._on_expired = on_expired
        self._timer: asyncio.Handle | None = None

    def watch(self, token: AccessToken | None) -> None:
        """Watch this token instead of the one before; None watches nothing."""
        self.cancel()
        if token is not None:
            left = token.expires - time.time()
            until_notice = max(0.0, left - limits.EXPIRY_NOTICE_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(until_notice, self._give_notice, left - until_notice)

    def cancel(self) -> None:
        """Watch nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_notice(self, left: float) -> None:
        self._on_expiring(left)
        self._timer = asyncio.get_running_loop().call_later(left, self._on_expired)
