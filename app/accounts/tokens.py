"""JSON Web Tokens (RFC 7519) by allauth headless. A token belongs to a session and ends with it.

A client gets a short-lived access token and a refresh token that works once. A refresh token that is used twice was
stolen, and it is unknown by which of the two users: the session ends, and with it all of its tokens.
"""

from typing import NamedTuple

from allauth.account.internal.userkit import user_id_to_str
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.base.response import UnauthorizedResponse
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from django.contrib.sessions.models import Session
from django.db import transaction
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts.models import User
from accounts.sessions import create_session


class TokenStrategy(JWTTokenStrategy):
    """allauth's strategy, which rotates refresh tokens; a used one ends the session here."""

    def refresh_token(self, refresh_token: str) -> tuple[str, str]:
        """Return the next access and refresh token.

        Raises:
            ImmediateHttpResponse: 401 when the token is not valid; allauth itself would answer 400.
        """
        if (rotated := self._rotate(refresh_token)) is None:
            raise ImmediateHttpResponse(UnauthorizedResponse(context.request))
        return rotated

    @transaction.atomic
    def _rotate(self, refresh_token: str) -> tuple[str, str] | None:
        payload = internal.decode_token(refresh_token, "refresh")
        key = internal.session_key_from_sid(payload["sid"]) if payload else None
        # Locked, so that of two simultaneous requests with the same token one is the second.
        session = Session.objects.select_for_update().filter(session_key=key).first() if key else None
        if session is None:
            return None
        rotated: tuple[str, str] | None = super().refresh_token(refresh_token)
        if rotated is None:
            session.delete()
        return rotated


class TokenPair(NamedTuple):
    """The tokens with which a program is signed in."""

    access: str
    refresh: str


def create_tokens(user: User) -> TokenPair:
    """Sign the user in with a new session and return its tokens."""
    session = create_session(user)
    refresh = internal.create_refresh_token(user, session)
    session.save()
    return TokenPair(internal.create_access_token(user, session, {}), refresh)


class AccessToken(NamedTuple):
    """The content of a genuine access token. Whether its session is still valid is in the database."""

    session: str  # the session's key
    user: str
    expires: float  # seconds since 1970

    def belongs_to(self, user: User) -> bool:
        """Whether the token was given to this user."""
        return bool(user_id_to_str(user) == self.user)


def read_access_token(token: str) -> AccessToken | None:
    """Verify an access token without the database.

    Returns:
        The token's content; None unless this site signed it as an access token and it has not expired.
    """
    payload = internal.decode_token(token, "access")
    session = internal.session_key_from_sid(payload["sid"]) if payload else None
    if payload is None or session is None:
        return None
    return AccessToken(session, payload["sub"], payload["exp"])


class BearerAuthentication(JWTTokenAuthentication):
    """Authenticates `Authorization: Bearer <access token>` (RFC 6750). A wrong token gets 401 even beside a cookie."""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes BearerAuthentication in the OpenAPI document."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
