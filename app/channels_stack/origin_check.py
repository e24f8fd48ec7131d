"""The Origin check of a project's sockets: its own where it has one, else the stack's.

A browser sends the visitor's cookies with a handshake from any page, so without a check each page of the internet may
open a project's sockets in the visitor's name (RFC 6455, section 10.2).
"""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator as ChannelsOriginValidator
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from channels_realtime.origins import OriginValidator as RealtimeOriginValidator
from channels_realtime.origins import own_origins
from channels_stack.asgi_application import find_all
from channels_stack.description import Site

ANY_ORIGIN = "*"


class ProjectChecks(NamedTuple):
    """What the project itself checks of the Origin."""

    refuses_other_sites: bool
    accepts_every_origin: bool
    """It has a check that refuses nothing: Channels' validator of ALLOWED_HOSTS, where that is *."""
    changes: list[str]
    """A sentence for each change of a check."""


def prepare_project_checks(application: Any, site: Site) -> ProjectChecks:
    """Find the project's own Origin checks, and let each of them accept the site's public addresses."""
    checks = find_all(application, (ChannelsOriginValidator, RealtimeOriginValidator))
    sentences = []
    has_check = accepts_all = False
    for check in checks:
        if isinstance(check, RealtimeOriginValidator):
            has_check = True
            continue
        if ANY_ORIGIN in check.allowed_origins:
            accepts_all = True
            continue
        has_check = True
        missing = [origin for origin in site.origins if not _accepts(check, origin)]
        if missing:
            check.allowed_origins = [*check.allowed_origins, *missing]
            sentences.append(f"The project's OriginValidator now accepts {', '.join(missing)}.")
    return ProjectChecks(has_check, accepts_all, sentences)


def _accepts(check: Any, origin: str) -> bool:
    return bool(check.valid_origin(urlsplit(origin)))


def refusal_reason(headers: dict[bytes, bytes], scheme: str, site: Site) -> str | None:
    """Return why a handshake with these headers is refused, or None when it is allowed.

    Allowed are the site's own addresses, the address to which the handshake was sent, and programs, which send no
    Origin: they have no cookies of a visitor unless the visitor gave them.
    """
    host = headers.get(b"host", b"").decode("latin1")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return f"Host {host!r} is not in ALLOWED_HOSTS"
    origin = headers.get(b"origin", b"").decode("latin1").lower()
    if not origin:
        return "the request has cookies, but no Origin" if b"cookie" in headers else None
    if origin in (known.lower() for known in site.origins):
        return None
    if origin in own_origins(headers, scheme):
        return None
    return f"Origin {origin!r} is neither this host ({host!r}) nor an address of the site"
