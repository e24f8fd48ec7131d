"""The rules of the settings overlay: a project's settings, and what only the stack knows, make the settings that serve.

Each rule sets one group of settings, and says why. Nothing is imported from the project, and nothing is read from the
environment or a file: what goes in decides what comes out. settings.py calls it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from channels_stack import database_settings, log_settings, redis_settings, session_hash, static_storage
from channels_stack.changes import Changes, Override
from channels_stack.description import Site

PROXY_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # nginx overwrites it
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MIDDLEWARE = [
    "channels_stack.requests.observe_requests",
    "channels_stack.unavailable.AnswerWhileUnavailable",
    "channels_stack.pages.answer_stack_pages",
]
ASGI_APPLICATION = "channels_stack.asgi.application"
DEFAULT_STORAGES = {
    "default": "django.core.files.storage.FileSystemStorage",
    "staticfiles": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
CACHED_SESSIONS = "django.contrib.sessions.backends.cache"
DATABASE_SESSIONS = "django.contrib.sessions.backends.db"


@dataclass(frozen=True)
class Secrets:
    """The secrets of a site; "" where the stack was given none."""

    secret_key: str = ""
    secret_key_fallbacks: str = ""  # former keys, see session_hash.parse_keys
    session_hash_key: str = ""
    database_url: str = ""


@dataclass(frozen=True)
class Overlay:
    """The settings that serve, and what was changed to get them."""

    settings: dict[str, Any]
    overrides: list[Override]


def apply_overlay(theirs: Mapping[str, Any], site: Site, secrets: Secrets) -> Overlay:
    """Return the project's settings with the values that only the stack knows.

    Args:
        theirs: The project's settings by name, as its module has them. They are not changed.
        site: Where and how the site is served.
        secrets: Its secrets.

    Raises:
        ImproperlyConfigured: With one sentence, when a secret is missing or wrong.
    """
    changes = Changes(theirs)
    for rule in RULES:
        rule(changes, site, secrets)
    return Overlay(changes.settings, changes.overrides)


def _set_debug(changes: Changes, site: Site, secrets: Secrets) -> None:
    changes.set("DEBUG", False, "Debug pages show source code and settings to every visitor.")


def _set_secret_key(changes: Changes, site: Site, secrets: Secrets) -> None:
    if "secret" in site.own:
        return
    if not secrets.secret_key:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: it must be a variable, or a file in the folder that CREDENTIALS_DIRECTORY names."
        )
    changes.set(
        "SECRET_KEY",
        secrets.secret_key,
        "A key that is in the source code is known to everybody who has read it.",
        before="(the project's)" if changes.get("SECRET_KEY") else "not set",
        after="(the site's own)",
    )


def _set_former_keys(changes: Changes, site: Site, secrets: Secrets) -> None:
    if former := session_hash.parse_keys(secrets.secret_key_fallbacks):
        theirs = changes.get("SECRET_KEY_FALLBACKS") or []
        changes.set(
            "SECRET_KEY_FALLBACKS",
            [*former, *(key for key in theirs if key not in former)],
            "What was signed before the last rotation of the key stays valid.",
            before=f"{len(theirs)} keys",
            after=f"the site's {len(former)} before them",
        )
    apps = changes.get("INSTALLED_APPS") or []
    if secrets.session_hash_key and "django.contrib.auth" in apps and session_hash.APP not in apps:
        changes.settings[session_hash.SETTING] = secrets.session_hash_key
        changes.set(
            "INSTALLED_APPS",
            [*apps, session_hash.APP],
            "A rotation of SECRET_KEY must sign nobody out.",
            before=f"{len(apps)} entries",
            after="channels_stack behind them",
        )


def _set_hosts(changes: Changes, site: Site, secrets: Secrets) -> None:
    why = "These are the names under which the site is served."
    if "hosts" not in site.own:
        changes.set("ALLOWED_HOSTS", list(site.hosts), why)
    elif isinstance(hosts := changes.get("ALLOWED_HOSTS"), str):
        names = [name.strip() for name in hosts.split(",") if name.strip()]
        changes.set("ALLOWED_HOSTS", names, "Django accepts a list only.")


def _set_origins(changes: Changes, site: Site, secrets: Secrets) -> None:
    trusted = changes.get("CSRF_TRUSTED_ORIGINS") or []
    kept = [origin for origin in trusted if "://" in origin]  # Django refuses to start with one without a scheme
    if "url" not in site.own:
        kept = [*site.origins, *(origin for origin in kept if origin not in site.origins)]
    if kept != trusted:
        changes.set("CSRF_TRUSTED_ORIGINS", kept, "Forms are sent from pages at the public address.")


def _set_transport_security(changes: Changes, site: Site, secrets: Secrets) -> None:
    changes.set("SECURE_PROXY_SSL_HEADER", PROXY_HEADER, "nginx ends TLS and says in this header that it did.")
    if site.secure:
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
            changes.set(name, True, "The site is served by https, and its cookies must not travel without it.")
    for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "LANGUAGE_COOKIE_DOMAIN"):
        domain = changes.get(name)
        if domain and site.hosts and not all(_belongs_to(host, domain) for host in site.hosts):
            changes.set(name, None, "A browser ignores a cookie for a domain that is not the site's.")


def _belongs_to(host: str, domain: str) -> bool:
    domain = domain.lstrip(".").lower()
    return host.lower() == domain or host.lower().endswith(f".{domain}")


def _set_files(changes: Changes, site: Site, secrets: Secrets) -> None:
    if not changes.get("STATIC_URL"):
        changes.set("STATIC_URL", STATIC_URL, "Static files need an address.")
    if site.static_root:
        changes.set("STATIC_ROOT", site.static_root, "collectstatic copies to where nginx serves them.")
    if site.media_root:
        changes.set("MEDIA_ROOT", site.media_root, "The project's own folder is read-only, and replaced at a release.")
        if changes.get("MEDIA_URL", "") in ("", "/"):
            changes.set("MEDIA_URL", MEDIA_URL, "Uploaded files need an address of their own.")


def _set_storages(changes: Changes, site: Site, secrets: Secrets) -> None:
    """Translate the two settings by which a project chose its storages before Django 4.2. Django 5.1 ignores them."""
    names = {"default": "DEFAULT_FILE_STORAGE", "staticfiles": "STATICFILES_STORAGE"}
    chosen = {alias: changes.get(name) for alias, name in names.items() if changes.get(name)}
    if django.VERSION >= (5, 1) and chosen and not changes.get("STORAGES"):
        storages = {alias: {"BACKEND": backend} for alias, backend in (DEFAULT_STORAGES | chosen).items()}
        changes.set("STORAGES", storages, f"Django no longer reads {' and '.join(names[alias] for alias in chosen)}.")
    storages = changes.get("STORAGES") or {}
    static_files = storages.get("staticfiles") or {}
    backend = static_files.get("BACKEND", "")
    if "Manifest" in backend and backend != static_storage.FACTORY:
        options = {**(static_files.get("OPTIONS") or {}), "backend": backend}
        changes.set(
            "STORAGES",
            {**storages, "staticfiles": {"BACKEND": static_storage.FACTORY, "OPTIONS": options}},
            "A style sheet that names a missing file must not stop collectstatic.",
            before=f"staticfiles: {backend}",
            after=f"staticfiles: {backend}, which keeps references to missing files",
        )


def _set_sessions(changes: Changes, site: Site, secrets: Secrets) -> None:
    if changes.get("SESSION_ENGINE") != CACHED_SESSIONS or "redis" in site.own or site.redis_url:
        return  # without a Redis, each process has a cache of its own
    if "django.contrib.sessions" in changes.get("INSTALLED_APPS", ()):
        changes.set("SESSION_ENGINE", DATABASE_SESSIONS, "The processes of the site share no cache.")


def _add_entries(changes: Changes, site: Site, secrets: Secrets) -> None:
    middleware = changes.get("MIDDLEWARE") or []
    changes.set(
        "MIDDLEWARE",
        [*MIDDLEWARE, *middleware],
        "Requests get an id and are counted, a missing database is answered with 503, and health checks are answered.",
        before=f"{len(middleware)} entries",
        after=f"{', '.join(name.rpartition('.')[2] for name in MIDDLEWARE)} before them",
    )
    changes.set("ASGI_APPLICATION", ASGI_APPLICATION, "runworker serves the application that the sockets get.")


def _define_own_settings(changes: Changes, site: Site, secrets: Secrets) -> None:
    """Give the settings that channels_realtime and channels_stack read a value."""
    changes.settings["CHANNELS_REALTIME"] = (changes.get("CHANNELS_REALTIME") or {}) | {
        "REDIS_URL": site.redis_url,
        "KEY_PREFIX": site.name,
        "ALLOWED_ORIGINS": list(site.origins),
    }
    changes.define("DOCTOR_REPORT", site.doctor_report)
    changes.define("RELEASE", site.release)
    changes.settings["STACK_SITE"] = site
    changes.settings["STACK_OVERRIDES"] = changes.overrides


def _set_database(changes: Changes, site: Site, secrets: Secrets) -> None:
    if site.database == "given" and "database" not in site.own:
        database_settings.set_database(changes, secrets.database_url)


def _set_redis(changes: Changes, site: Site, secrets: Secrets) -> None:
    redis_settings.set_redis(changes, site)


def _set_logs(changes: Changes, site: Site, secrets: Secrets) -> None:
    log_settings.set_logging(changes, site.log_format)


RULES: tuple[Callable[[Changes, Site, Secrets], None], ...] = (
    _set_debug,
    _set_secret_key,
    _set_former_keys,
    _set_hosts,
    _set_origins,
    _set_transport_security,
    _set_files,
    _set_storages,
    _set_database,
    _set_redis,
    _set_sessions,
    _set_logs,
    _add_entries,
    _define_own_settings,
)
