"""Reading settings from the environment. Every variable is declared where config.settings reads it.

The value is the environment's, else the content of a file of that name in CREDENTIALS_DIRECTORY, where systemd and
containers put secrets, else the default. A variable without a default must be set. A wrong value stops the start with
one sentence, which never quotes a secret. A test compares `.env.example` with what was declared.

Why no library does this: django-environ, which parses the URLs here, reads "flase" as False, does not name the variable
in its errors, and wants a second variable (NAME_FILE) for each secret's file. pydantic-settings adds 25 MB and 0.16 s
to each process, quotes the wrong value (of secrets, too) in several lines, and only warns of an unreadable secret.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import environ
from django.core.exceptions import ImproperlyConfigured

from channels_stack import session_hash
from chat.slugs import is_open_slug

# systemd names the credentials of a whole folder so: LoadCredential=parley:/etc/parley/credentials (systemd.exec(5)).
CREDENTIAL_PREFIX = "parley_"
LOG_LEVELS = logging.getLevelNamesMapping()
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Kind(NamedTuple):
    """What the text of a variable must be.

    `parse` turns the text into the value. The text is wrong when `parse` raises, or `is_valid` returns False for the
    value. `description` completes the sentence "It must be ...".
    """

    description: str
    parse: Callable[[str], Any] = str
    is_valid: Callable[[Any], bool] = lambda _: True


class Variable(NamedTuple):
    """A declared variable; `default` is its text as in `.env.example`, or None where it must be set."""

    kind: Kind
    default: str | None
    is_secret: bool
    old_name: str | None


VARIABLES: dict[str, Variable] = {}  # every variable that was read, by name
deprecation_warnings: list[str] = []  # one sentence for each old name in use; ops.apps logs them


def read(
    name: str, kind: Kind, *, default: str | None = None, is_secret: bool = False, old_name: str | None = None
) -> Any:
    """Declare a variable and return its value.

    Args:
        name: Its name in the environment, and of its file in CREDENTIALS_DIRECTORY.
        kind: What its text must be.
        default: The text that counts when it is not set; None when it must be set.
        is_secret: Whether errors must not quote it.
        old_name: Its name in the release before, which works for one more release. The new name wins.

    Raises:
        ImproperlyConfigured: With one sentence, when the variable is missing, wrong or cannot be read.
    """
    VARIABLES[name] = Variable(kind, default, is_secret, old_name)
    text, used_name = _find(name), name
    if text is None and old_name is not None and (text := _find(old_name)) is not None:
        used_name = old_name
        deprecation_warnings.append(f"{old_name} is now called {name}; the next release ignores {old_name}.")
    if text is None:
        text = default
    if text is None:
        raise ImproperlyConfigured(f"{name} is not set: it must be {kind.description}.")
    try:
        value = kind.parse(text)
        is_valid = kind.is_valid(value)
    except Exception:  # whatever a parser raises for a wrong text
        is_valid = False
    if not is_valid:
        shown = "wrong" if is_secret else repr(text)
        raise ImproperlyConfigured(f"{used_name} is {shown}: it must be {kind.description}.")
    return value


def _find(name: str) -> str | None:
    """Return the variable's text from the environment or from its credential; None when it is in neither."""
    if name in os.environ:
        return os.environ[name]
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    for file_name in (name, f"{CREDENTIAL_PREFIX}{name}"):
        try:
            return (Path(folder) / file_name).read_text().rstrip("\n")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ImproperlyConfigured(f"{name} cannot be read: {error}") from error
    return None


# --- parsers and checks


def parse_list(text: str) -> list[str]:
    """Split at commas; blank items are left out."""
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_bool(text: str) -> bool:
    """Return the boolean that the text names. Raises KeyError for any other text."""
    return BOOLEANS[text.lower()]


def are_origins(values: list[str]) -> bool:
    """Whether each value is a scheme and a host, without a path."""
    return all(re.fullmatch(r"https?://[^/]+", value) for value in values)


def is_room_slug(value: str) -> bool:
    """Whether an open room can have this slug, in lower case."""
    return value == value.casefold() and is_open_slug(value)


def matches(pattern: str) -> Callable[[str], bool]:
    """Return a check for a text that begins with the pattern; an empty text is valid."""
    return lambda value: not value or re.match(pattern, value) is not None


# --- kinds of variables

TEXT = Kind("a text")
BOOLEAN = Kind("true or false", parse_bool)
HOST_NAMES = Kind("names with commas between them", parse_list)
ORIGINS = Kind("origins such as https://example.org, with commas", parse_list, are_origins)
ROOM_SLUG = Kind("the name of an open room, in small letters", is_valid=is_room_slug)
LONG_SECRET = Kind("50 random characters or more", is_valid=lambda value: len(value) >= 50)
OPTIONAL_SECRET = Kind("50 random characters or more, or nothing", is_valid=lambda value: not value or len(value) >= 50)
SECRETS = Kind(
    "keys of 50 characters or more, with spaces or ends of lines between them",
    session_hash.parse_keys,
    lambda keys: all(len(key) >= 50 for key in keys),
)
DATABASE_URL = Kind("a URL beginning with postgres:// or sqlite:///", environ.Env.db_url_config, bool)
REDIS_URL = Kind(
    "a URL beginning with redis://, rediss:// or unix://, or nothing", is_valid=matches(r"(redis|rediss|unix)://")
)
EMAIL_URL = Kind("a URL such as smtp+tls://user:password@host:587", environ.Env.email_url_config, bool)
EMAIL_ADDRESS = Kind("an address", is_valid=lambda value: "@" in value)
HTTPS_URL = Kind(
    "a URL beginning with https://",
    lambda text: text.rstrip("/"),
    matches(r"https://|http://(localhost|127\.0\.0\.1)[:/]"),
)
SENTRY_DSN = Kind(
    "a DSN such as https://key@sentry.example.org/1, or nothing", is_valid=matches(r"https?://[^@/]+@[^/]+/(.+/)?\d+\Z")
)
NAME = Kind("a name", is_valid=bool)
PATH = Kind("a path")
POSITIVE_NUMBER = Kind("a number above 0", float, lambda value: value > 0)
POSITIVE_INTEGER = Kind("a number, 1 or more", int, lambda value: value > 0)
SHARE = Kind("a number from 0 to 1", float, lambda value: 0 <= value <= 1)
RATE = Kind(
    "a rate such as 120/min",
    is_valid=lambda value: re.fullmatch(r"\d+/(s|sec|m|min|h|hour|d|day)", value) is not None,
)
LOG_FORMAT = Kind("line or json", is_valid=lambda value: value in ("line", "json"))
LOG_LEVEL = Kind("one of DEBUG, INFO, WARNING, ERROR", is_valid=lambda value: value in LOG_LEVELS)
