"""Access and refresh tokens of test users, and forgeries of them."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt
from allauth.headless.tokens.strategies.jwt import internal
from django.conf import settings

from accounts.models import User
from accounts.sessions import create_session


class Tokens(NamedTuple):
    access: str
    refresh: str
    session: str
    victim: str = ""  # the id of the user whom a forger wants to be


def tokens_of(user: User) -> Tokens:
    """Sign the user in, as a program."""
    session = create_session(user)
    refresh = internal.create_refresh_token(user, session)
    session.save()
    return Tokens(internal.create_access_token(user, session, {}), refresh, str(session.session_key))


def claims(token: str) -> dict[str, Any]:
    """The content of a token, whatever its signature is."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def signed(content: dict[str, Any], key: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(content, key or settings.HEADLESS_JWT_PRIVATE_KEY, algorithm=algorithm)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def unsigned(content: dict[str, Any], algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(content)}."


def tampered(token: str, **changes: Any) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{_part(claims(token) | changes)}.{signature}"


# What mallory makes of her own, genuine tokens.
FORGERIES: dict[str, Callable[[Tokens], str]] = {
    "none-alg": lambda hers: unsigned(claims(hers.access) | {"sub": hers.victim}, "none"),
    "None-alg": lambda hers: unsigned(claims(hers.access), "None"),
    "no signature": lambda hers: unsigned(claims(hers.access), "HS256"),
    "wrong key": lambda hers: signed(claims(hers.access), "another-key-" * 5),
    "the site's key itself": lambda hers: signed(claims(hers.access), settings.SECRET_KEY),
    "another algorithm": lambda hers: signed(claims(hers.access), algorithm="HS512"),
    "expired": lambda hers: signed(claims(hers.access) | {"exp": int(time.time()) - 1}),
    "tampered: a later end": lambda hers: tampered(hers.access, exp=2**40),
    "tampered: another user": lambda hers: tampered(hers.access, sub=hers.victim),
    "another user's session": lambda hers: signed(claims(hers.access) | {"sub": hers.victim}),
    "a refresh token": lambda hers: hers.refresh,
    "no session": lambda hers: signed({k: v for k, v in claims(hers.access).items() if k != "sid"}),
    "a strange session": lambda hers: signed(claims(hers.access) | {"sid": "AAAA"}),
    "a session's key": lambda hers: hers.session,
    "no token": lambda _: "a.b.c",
    "one word": lambda _: "x" * 4096,
}


def forge(name: str, hers: Tokens, victim: User) -> str:
    return FORGERIES[name](hers._replace(victim=str(victim.pk)))
