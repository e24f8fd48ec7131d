"""The overlay's rules for everything that speaks to Redis: CHANNEL_LAYERS, CACHES, and addresses in other settings.

The site has a Redis of its own. A project mostly names one that does not exist here: 127.0.0.1, a container's name, or
a hosted one whose password is in the source code.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from channels_stack.changes import Changes
from channels_stack.description import Site

CHANNEL_LAYER = "channels_realtime.channel_layer.ChannelLayer"
# Settings of a layer that mean the same in ours.
KEPT_LAYER_OPTIONS = (
    *("capacity", "channel_capacity", "expiry"),
    "symmetric_encryption_keys",
)
REPLACED_LAYERS = re.compile(r"\b(channels_redis|asgi_redis)\.|\bInMemoryChannelLayer$")
REDIS_LAYERS = re.compile(r"\bchannels_redis\.core\.")

REDIS_CACHE = "django.core.cache.backends.redis.RedisCache"
REDIS_CACHES = re.compile(r"redis", re.IGNORECASE)  # Django's own, django-redis, django-redis-cache
LOCAL_CACHES = re.compile(r"\.(LocMemCache|FileBasedCache|PyMemcacheCache|PyLibMCCache|MemcachedCache)$")
CONNECTION_OPTIONS = (
    "CONNECTION_POOL_KWARGS",
    "PASSWORD",
    "SENTINELS",
    "SENTINEL_KWARGS",
    "db",
    "password",
    "username",
)
CACHE_DATABASE = 1  # not 0: clearing Django's cache empties the whole database
REDIS_ADDRESS = re.compile(r"(redis|rediss|redis\+socket|unix)://")
CELERY_SETTING = re.compile(r"BROKER|RESULT_BACKEND")


def set_redis(changes: Changes, site: Site) -> None:
    """Point everything at the site's Redis. Where the project reads the address itself, only repair its options."""
    if "redis" in site.own or not site.redis_url:
        _repair_layers(changes)
        _repair_celery_addresses(changes)
        return
    _set_layers(changes, site)
    _set_caches(changes, site.redis_url)
    _set_addresses(changes, site.redis_url)


def _set_layers(changes: Changes, site: Site) -> None:
    layers = changes.get("CHANNEL_LAYERS") or {}
    replaced = {
        alias: _site_layer(layer, alias, site)
        for alias, layer in layers.items()
        if REPLACED_LAYERS.search(str(layer.get("BACKEND", "")))
    }
    if replaced:
        changes.set(
            "CHANNEL_LAYERS",
            {**layers, **replaced},
            "The processes of the site exchange messages through its own Redis, and one layer serves each kind of use.",
            before=_describe_layers(layers),
            after=_describe_layers(replaced),
        )


def _site_layer(layer: dict[str, Any], alias: str, site: Site) -> dict[str, Any]:
    config = layer.get("CONFIG") or {}
    # The names of two layers in one Redis must differ.
    prefix = site.name if alias == "default" else f"{site.name}.{alias}"
    kept = {name: config[name] for name in KEPT_LAYER_OPTIONS if name in config}
    return {"BACKEND": CHANNEL_LAYER, "CONFIG": {"hosts": [site.redis_url], "prefix": prefix, **kept}}


def _repair_layers(changes: Changes) -> None:
    """Let the layer of channels_redis wait for messages as long as it wants.

    redis-py 8 gives up after 5 s, which is how long the layer waits: each idle socket would be closed with 1011.
    """
    layers = changes.get("CHANNEL_LAYERS") or {}
    repaired = {}
    for alias, layer in layers.items():
        config = layer.get("CONFIG") or {}
        hosts = config.get("hosts")
        if REDIS_LAYERS.search(str(layer.get("BACKEND", ""))) and isinstance(hosts, list | tuple):
            waiting = [{"socket_timeout": None, **_host(host)} for host in hosts]
            repaired[alias] = {**layer, "CONFIG": {**config, "hosts": waiting}}
    if repaired:
        changes.set(
            "CHANNEL_LAYERS",
            {**layers, **repaired},
            "Without socket_timeout None, redis-py 8 ends each idle socket after 5 s.",
            before=_describe_layers(layers),
            after="the same with socket_timeout None",
        )


def _repair_celery_addresses(changes: Changes) -> None:
    """Write an address that the project has read itself, such as CELERY_BROKER_URL, as Celery wants it."""
    for name, value in list(changes.settings.items()):
        if isinstance(value, str) and CELERY_SETTING.search(name) and (address := celery_address(value)) != value:
            changes.set(name, address, "Celery's scheme for unix sockets is redis+socket://.")


def _host(host: Any) -> dict[str, Any]:
    """Return an entry of `hosts` as a dict, as channels_redis does."""
    if isinstance(host, dict):
        return host
    if isinstance(host, tuple | list):
        return {"host": host[0], "port": host[1]}
    return {"address": host}


def _describe_layers(layers: dict[str, Any]) -> str:
    return ", ".join(f"{alias}: {layer.get('BACKEND')}" for alias, layer in layers.items()) or "not set"


def _set_caches(changes: Changes, redis_url: str) -> None:
    caches = changes.get("CACHES") or {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    changed = {
        alias: replaced for alias, cache in caches.items() if (replaced := _site_cache(cache, redis_url)) is not None
    }
    if changed:
        changes.set(
            "CACHES",
            {**caches, **changed},
            "The processes of the site share one cache, in its own Redis.",
            before=", ".join(f"{alias}: {cache.get('BACKEND')}" for alias, cache in caches.items()),
            after=", ".join(f"{alias}: {cache['BACKEND']}" for alias, cache in changed.items()),
        )


def _site_cache(cache: dict[str, Any], redis_url: str) -> dict[str, Any] | None:
    """Return the cache in the site's Redis; None for one that stays, such as a cache in the database."""
    backend = str(cache.get("BACKEND", ""))
    if REDIS_CACHES.search(backend):
        location = cache.get("LOCATION")
        first = location if isinstance(location, str) else next(iter(location or ()), "")
        address = redis_address(redis_url, _database_number(first) or CACHE_DATABASE)
        changed = {**cache, "LOCATION": address}
        if options := cache.get("OPTIONS"):
            changed["OPTIONS"] = {key: value for key, value in options.items() if key not in CONNECTION_OPTIONS}
        return changed
    if LOCAL_CACHES.search(backend):
        kept = {
            key: value for key, value in cache.items() if key in ("KEY_PREFIX", "TIMEOUT", "VERSION", "KEY_FUNCTION")
        }
        return {"BACKEND": REDIS_CACHE, "LOCATION": redis_address(redis_url, CACHE_DATABASE), **kept}
    return None


def _set_addresses(changes: Changes, redis_url: str) -> None:
    """Replace the address of a Redis in any other setting, such as CELERY_BROKER_URL or REDIS_URL."""
    for name, value in list(changes.settings.items()):
        if isinstance(value, str) and REDIS_ADDRESS.match(value):
            address = redis_address(redis_url, _database_number(value))
            changes.set(name, celery_address(address) if CELERY_SETTING.search(name) else address, "It is the site's.")


def redis_address(url: str, database: int) -> str:
    """Return the address with this database's number; 0 keeps the number that the address has."""
    if not database:
        return url
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = urlencode({**dict(parse_qsl(parts.query)), "db": str(database)})
        return f"unix://{parts.netloc}{parts.path}?{query}"
    return parts._replace(path=f"/{database}").geturl()


def _database_number(url: str) -> int:
    """Return the number of the database in an address; 0 where it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return 0
    query = dict(parse_qsl(parts.query))
    candidates: Iterable[str] = (query.get("db", ""), query.get("virtual_host", ""), parts.path.strip("/"))
    return next((int(text) for text in candidates if text.isdigit()), 0)


def celery_address(url: str) -> str:
    """Return the address as Celery writes it: its scheme for unix sockets is redis+socket."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = _database_number(url)
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"
