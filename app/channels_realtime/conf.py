"""The settings of this package: the dictionary CHANNELS_REALTIME of the project's Django settings, every key optional.

    CHANNELS_REALTIME = {"REDIS_URL": "redis://127.0.0.1:6379/0", "MAX_MESSAGE_BYTES": 65_536}

README.md in this folder lists the keys. This is the only file that reads them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

SETTING = "CHANNELS_REALTIME"
PING_INTERVAL_SECONDS = 25  # below the 60 s after which load balancers drop idle connections


@dataclass(frozen=True)
class Options:
    """The values of CHANNELS_REALTIME; a key is the name of a field in capitals.

    Attributes:
        redis_url: Where servers report that they are healthy, and where presence is kept. Empty: nowhere.
        key_prefix: The first part of every key in that Redis. Two sites that share a Redis need two prefixes.
        allowed_origins: Other sites whose pages may open sockets: see channels_realtime.origins.OriginValidator.
        coalesce: Whether a stream with more than 20 events a second sends them in shared frames.
        max_message_bytes: The largest message that the server accepts from a client. daphne's own default.
        max_unsent_bytes: What a consumer of Channels may have sent and its client not taken, before the server closes
            the connection.
        ping_interval_seconds: Seconds between two protocol pings (RFC 6455, section 5.5.2) to a client whose consumer
            sends no pings of its own; 0: no pings.
        max_stored_events: The events of one stream that channels_realtime.resume keeps for clients that reconnect.
    """

    redis_url: str = ""
    key_prefix: str = "channels_realtime"
    allowed_origins: Sequence[str] = ()
    coalesce: bool = True
    max_message_bytes: int = 1024 * 1024
    max_unsent_bytes: int = 16 * 1024 * 1024
    ping_interval_seconds: float = PING_INTERVAL_SECONDS
    max_stored_events: int = 1000


NAMES = tuple(field.name.upper() for field in fields(Options))


@cache
def options() -> Options:
    """Return the options of this process; the defaults where it has no Django settings.

    Raises:
        ImproperlyConfigured: CHANNELS_REALTIME has a key that is not known, or a value of the wrong type.
    """
    if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return Options()
    given: dict[str, Any] = getattr(settings, SETTING, {})
    if unknown := sorted(set(given) - set(NAMES)):
        raise ImproperlyConfigured(f"{SETTING} has no key {unknown[0]!r}; it may have {', '.join(NAMES)}")
    for name, value in given.items():
        _check(name, value, getattr(Options, name.lower()))
    return Options(**{name.lower(): value for name, value in given.items()})


def _check(name: str, value: Any, default: Any) -> None:
    """Raise ImproperlyConfigured if a value is not of the kind of its default."""
    if isinstance(default, bool):
        is_right, kind = isinstance(value, bool), "True or False"
    elif isinstance(default, int):
        whole = isinstance(value, int) or (isinstance(value, float) and name == "PING_INTERVAL_SECONDS")
        is_right, kind = whole and not isinstance(value, bool) and value >= 0, "a number that is not negative"
    elif isinstance(default, str):
        is_right, kind = isinstance(value, str), "a text"
    else:
        is_right, kind = isinstance(value, (list, tuple, set)), "a list of texts"
    if not is_right:
        raise ImproperlyConfigured(f"{SETTING}[{name!r}] is {value!r}; it must be {kind}")


def _forget(*, setting: str, **_: Any) -> None:
    if setting == SETTING:
        options.cache_clear()


setting_changed.connect(_forget)  # override_settings in tests
