"""JSON Web Tokens, by allauth headless. Each is a view of a session: it dies with it, wherever it was handed to.

A client gets a short access token and a refresh token that works once. One that comes a second time was stolen, from
the client or from the thief: nobody can tell, so its session ends, and with it every token that came from it.
"""

from typing import NamedTuple

from allauth.account.internal.userkit import user_id_to_str
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.base.response import UnauthorizedResponse
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts.models import User


class TokenStrategy(JWTTokenStrategy):
    """allauth's, which rotates refresh tokens; a used one ends the session."""

    def refresh_token(self, refresh_token: str) -> tuple[str, str]:
        """The next access and refresh token. Answers 401 where there is none; allauth itself would say 400."""
        if (renewed := self._rotate(refresh_token)) is None:
            raise ImmediateHttpResponse(UnauthorizedResponse(context.request))
        return renewed

    @transaction.atomic
    def _rotate(self, refresh_token: str) -> tuple[str, str] | None:
        payload = internal.decode_token(refresh_token, "refresh")
        key = internal.session_key_from_sid(payload["sid"]) if payload else None
        # Locked: of two who come at once with the same token, one comes second.
        session = Session.objects.select_for_update().filter(session_key=key).first() if key else None
        if session is None:
            return None
        renewed: tuple[str, str] | None = super().refresh_token(refresh_token)
        if renewed is None:
            session.delete()
        return renewed


class Pair(NamedTuple):
    """What a program is signed in with."""

    access: str
    refresh: str


def sign_in(user: User) -> Pair:
    """Begin a session of theirs, for a program that no request brings a session of."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    refresh = internal.create_refresh_token(user, session)
    session.save()
    return Pair(internal.create_access_token(user, session, {}), refresh)


class AccessToken(NamedTuple):
    """What a genuine access token says; whether its session still lives is for the database to tell."""

    session: str
    user: str
    expires: float  # seconds since the epoch

    def belongs_to(self, user: User) -> bool:
        return bool(user_id_to_str(user) == self.user)


def read_access_token(token: str) -> AccessToken | None:
    """None unless we signed it, as an access token, and it has not expired. Asks no database."""
    payload = internal.decode_token(token, "access")
    session = internal.session_key_from_sid(payload["sid"]) if payload else None
    if payload is None or session is None:
        return None
    return AccessToken(session, payload["sub"], payload["exp"])


class BearerAuthentication(JWTTokenAuthentication):
    """`Authorization: Bearer` with an access token, for the REST API. A wrong one is 401 even beside a cookie."""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
