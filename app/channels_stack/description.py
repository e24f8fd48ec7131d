"""The site description: what the stack's tools tell the processes of a project about the site that they serve.

The tools write it as JSON; the variable SITE_FILE names the file. It contains no secret: see credentials.py.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from django.core.exceptions import ImproperlyConfigured

FILE_VARIABLE = "SITE_FILE"

Concept = Literal["hosts", "url", "redis", "database", "secret"]


@dataclass(frozen=True)
class Site:
    """One site: a project, and what only the stack knows about the place where it is served."""

    name: str
    """The site's name. Log lines, the prefix of keys in Redis and the names of backups contain it."""
    settings: str
    """The project's own settings module."""
    asgi: str = ""
    """The project's ASGI application as "module:attribute"; "" where it has none."""
    wsgi: str = ""
    """The project's WSGI application as "module:attribute"; "" where it has none."""
    hosts: list[str] = field(default_factory=list)
    """The host names under which the site is served, without a port: ALLOWED_HOSTS."""
    origins: list[str] = field(default_factory=list)
    """The public addresses of the site, as scheme://host or scheme://host:port."""
    redis_url: str = ""
    """unix:// or redis:// address of the site's own Redis; "" where there is none."""
    static_root: str = ""
    """The folder into which collectstatic copies; nginx serves it."""
    media_root: str = ""
    """The folder of uploaded files; "" leaves the project's setting."""
    own: list[Concept] = field(default_factory=list)
    """What the project reads from variables of its own, so that the overlay leaves the setting as it is."""
    database: Literal["given", "own"] = "own"
    """"given": the secret DATABASE_URL names the database. "own": the project's DATABASES stay."""
    origin_check: bool = True
    """Whether handshakes from pages of other sites are refused where the project does not check them itself."""
    asgi_http: list[str] | Literal["all"] = field(default_factory=list)
    """The paths, or beginnings of paths, whose plain HTTP requests go to the project's ASGI application."""
    home: str = "/"
    """Where a visitor begins: GET / leads there if the project has no page at /."""
    probe: str = ""
    """The path of a handshake that probes whether the site works; "" chooses a discovered route."""
    release: str = ""
    """The version of the project, for health pages and logs."""
    doctor_report: str = ""
    """The file of the doctor's newest report, for the metrics of the certificate; "" where there is none."""
    log_format: Literal["line", "json"] = "line"
    secure: bool = True
    """Whether the site is served by https, so that its cookies are marked as secure."""


@cache
def load_site() -> Site:
    """Read the site description that SITE_FILE names. Each process reads it once.

    Raises:
        ImproperlyConfigured: With one sentence, when the variable is not set, or the file cannot be read or is wrong.
    """
    file = os.environ.get(FILE_VARIABLE, "")
    if not file:
        raise ImproperlyConfigured(f"{FILE_VARIABLE} is not set: it must name the site description, a JSON file.")
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=Site)
    except OSError as error:
        raise ImproperlyConfigured(f"The site description {file} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise ImproperlyConfigured(f"The site description {file} is wrong: {error}.") from error
