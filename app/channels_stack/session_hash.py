"""Keeps people signed in when the SECRET_KEY of a site is rotated.

A session holds an HMAC of its user's password field, so that it ends when the password changes. Django makes the HMAC
with SECRET_KEY. After a rotation Django finds the HMAC of the former key and gives the session another identifier, so
that a request which arrives at the same moment is no longer signed in; Channels 4 knows the newest key only, and
deletes the session. Here the HMAC has a key of its own, SESSION_HASH_KEY, which stays the same when SECRET_KEY changes.
Everything else is signed with SECRET_KEY, and read with SECRET_KEY_FALLBACKS too.

Who knows SESSION_HASH_KEY can sign nothing with it: the HMAC is compared inside a session, which is stored on the site
or signed with SECRET_KEY.
"""

import functools
from typing import Any

SETTING = "SESSION_HASH_KEY"
APP = "channels_stack.apps.ChannelsStackConfig"  # in INSTALLED_APPS, it calls use_key()


def parse_keys(text: str) -> list[str]:
    """Return the keys of SECRET_KEY_FALLBACKS: one in each line, the newest first."""
    return text.split()


def use_key(key: str) -> None:
    """Make the HMACs of sessions with `key` from now on, instead of SECRET_KEY.

    Written for Django 5.2. It relies on `AbstractBaseUser._get_session_auth_hash(secret=None)`, which Django has since
    4.1.8; an older Django knows no SECRET_KEY_FALLBACKS, and nothing is changed there. A user model with a
    `get_session_auth_hash` of its own keeps it.
    """
    from django.contrib.auth.base_user import AbstractBaseUser  # noqa: PLC0415  it imports models

    user_class: Any = AbstractBaseUser
    original = getattr(user_class, "_get_session_auth_hash", None)
    if original is None:
        return
    original = getattr(original, "__wrapped__", original)  # the key is set a second time

    @functools.wraps(original)
    def get_session_auth_hash(user: Any, secret: str | None = None) -> str:
        hashed: str = original(user, secret=secret or key)
        return hashed

    user_class._get_session_auth_hash = get_session_auth_hash  # noqa: SLF001
