"""What the environment may say. `.env.example` is checked against this table.

A variable that it does not have is looked for as a file of that name in CREDENTIALS_DIRECTORY, where systemd and
containers put secrets. A wrong value stops the start with one sentence; a variable without a default must be set.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import environ
from django.core.exceptions import ImproperlyConfigured

from chat.limits import SLUG_CHARS

LEVELS = logging.getLevelNamesMapping()
YES_OR_NO = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Variable(NamedTuple):
    """`read` turns the text into the value; it raises, or `good` says no, where the text is not `what`."""

    what: str
    read: Callable[[str], Any]
    default: Any = None
    good: Callable[[Any], bool] | None = None


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def truth(text: str) -> bool:
    return YES_OR_NO[text.lower()]


def origins(values: list[str]) -> bool:
    return all(re.fullmatch(r"https?://[^/]+", value) for value in values)


def front(value: str) -> bool:
    return value == value.casefold() and re.fullmatch(rf"[^\W_][\w-]{{0,{SLUG_CHARS - 1}}}", value) is not None


VARIABLES = {
    "SECRET_KEY": Variable("50 random characters or more", str, good=lambda value: len(value) >= 50),
    "DEBUG": Variable("true or false", truth, False),
    "ALLOWED_HOSTS": Variable("names with commas between them", words, []),
    "ALLOWED_ORIGINS": Variable("origins such as https://example.org, with commas", words, [], origins),
    "FRONT_ROOM": Variable("the name of an open room, in small letters", str, "lobby", front),
    "GUESTS": Variable("true or false", truth, True),
    "GOOGLE_CLIENT_ID": Variable("Google's name for this site", str, ""),
    "GOOGLE_CLIENT_SECRET": Variable("what Google gave with it", str, ""),
    "GITHUB_CLIENT_ID": Variable("GitHub's name for this site", str, ""),
    "GITHUB_CLIENT_SECRET": Variable("what GitHub gave with it", str, ""),
    "OIDC_NAME": Variable("what people call it", str, "OpenID"),
    "OIDC_SERVER_URL": Variable(
        "a URL beginning with https://",
        lambda text: text.rstrip("/"),
        "",
        lambda value: not value or re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]", value) is not None,
    ),
    "OIDC_CLIENT_ID": Variable("the server's name for this site", str, ""),
    "OIDC_CLIENT_SECRET": Variable("what the server gave with it", str, ""),
    "DATABASE_URL": Variable("a URL beginning with postgres:// or sqlite:///", environ.Env.db_url_config, good=bool),
    "REDIS_URL": Variable(
        "a URL beginning with redis://, rediss:// or unix://, or nothing",
        str,
        "redis://127.0.0.1:6379/0",
        lambda value: not value or re.match(r"(redis|rediss|unix)://", value) is not None,
    ),
    "EMAIL_URL": Variable("a URL such as smtp+tls://user:password@host:587", environ.Env.email_url_config, good=bool),
    "DEFAULT_FROM_EMAIL": Variable("an address", str, "Parley <parley@localhost>", lambda value: "@" in value),
    "STATIC_ROOT": Variable("a folder", str),
    "SOCKET_RATE": Variable("a number above 0", float, 10.0, lambda value: value > 0),
    "SOCKET_BURST": Variable("a number, 1 or more", int, 30, lambda value: value > 0),
    "COALESCE": Variable("true or false", truth, True),
    "GROUP_COMMIT": Variable("true or false", truth, True),
    "API_RATE": Variable(
        "a rate such as 120/min",
        str,
        "120/min",
        lambda value: re.fullmatch(r"\d+/(s|sec|m|min|h|hour|d|day)", value) is not None,
    ),
    "DOCTOR_REPORT": Variable("a file", str),
    "RELEASE": Variable("a name", str),
    "SENTRY_DSN": Variable(
        "a DSN such as https://key@sentry.example.org/1, or nothing",
        str,
        "",
        lambda value: not value or re.fullmatch(r"https?://[^@/]+@[^/]+/(.+/)?\d+", value) is not None,
    ),
    "SENTRY_ENVIRONMENT": Variable("a name", str, "production", bool),
    "SENTRY_TRACES": Variable("a number from 0 to 1", float, 0.0, lambda value: 0 <= value <= 1),
    "LOG_FORMAT": Variable("line or json", str, "line", lambda value: value in ("line", "json")),
    "LOG_LEVEL": Variable("one of DEBUG, INFO, WARNING, ERROR", str, "INFO", lambda value: value in LEVELS),
}


def read(name: str, default: Any = None) -> Any:
    """The value of a variable, or its default. Raises ImproperlyConfigured with a sentence."""
    variable = VARIABLES[name]
    text = os.environ.get(name)
    if text is None:
        text = _credential(name)
    if text is None:
        fallback = variable.default if default is None else default
        if fallback is None:
            raise ImproperlyConfigured(f"{name} is not set: it must be {variable.what}.")
        return variable.read(fallback) if default is not None else fallback
    try:
        value = variable.read(text)
        good = variable.good is None or variable.good(value)
    except Exception:  # whatever a reader makes of nonsense
        good = False
    if not good:
        shown = "wrong" if name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL") else repr(text)  # may hold a password
        raise ImproperlyConfigured(f"{name} is {shown}: it must be {variable.what}.")
    return value


def _credential(name: str) -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    try:
        return (Path(folder) / name).read_text().rstrip("\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImproperlyConfigured(f"{name} cannot be read: {error}") from error
