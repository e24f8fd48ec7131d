"""Everything that speaks to Redis is pointed at the site's own, whatever the project's settings name."""

import asyncio
from typing import Any

import pytest

from channels_stack.description import Site
from channels_stack.overlay import Secrets, apply_overlay

UNIX = "unix:///run/mysite/redis.sock"
TCP = "redis://redis:6379/0"
LAYER = "channels_realtime.channel_layer.ChannelLayer"


def settings_of(theirs: dict[str, Any], url: str = UNIX, own: tuple[str, ...] = ()) -> dict[str, Any]:
    site = Site(name="mysite", settings="mysite.settings", redis_url=url, own=list(own))  # type: ignore[arg-type]
    return apply_overlay(theirs, site, Secrets(secret_key="x")).settings


@pytest.mark.parametrize(
    "backend",
    [
        "channels_redis.core.RedisChannelLayer",
        "channels_redis.pubsub.RedisPubSubChannelLayer",
        "channels.layers.InMemoryChannelLayer",
        "asgi_redis.RedisChannelLayer",
    ],
)
def test_a_layer_becomes_the_sites(backend):
    theirs = {
        "default": {"BACKEND": backend, "CONFIG": {"hosts": [("127.0.0.1", 6379)], "capacity": 1500, "prefix": "p"}}
    }
    assert settings_of({"CHANNEL_LAYERS": theirs})["CHANNEL_LAYERS"] == {
        "default": {"BACKEND": LAYER, "CONFIG": {"hosts": [UNIX], "prefix": "mysite", "capacity": 1500}}
    }


def test_two_layers_have_two_prefixes_and_an_unknown_one_stays():
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    unknown = {"BACKEND": "channels_rabbitmq.core.RabbitmqChannelLayer", "CONFIG": {"host": "amqp://x"}}
    found = settings_of({"CHANNEL_LAYERS": {"default": memory, "games": memory, "other": unknown}})["CHANNEL_LAYERS"]
    assert [layer["CONFIG"].get("prefix") for layer in found.values()] == ["mysite", "mysite.games", None]
    assert found["other"] == unknown


def test_a_project_without_a_layer_gets_none():
    assert "CHANNEL_LAYERS" not in settings_of({})


@pytest.mark.parametrize(
    ("hosts", "repaired"),
    [
        (["redis://h:6379"], [{"address": "redis://h:6379", "socket_timeout": None}]),
        ([("h", 6379)], [{"host": "h", "port": 6379, "socket_timeout": None}]),
        ([{"address": "redis://h", "socket_timeout": 9}], [{"address": "redis://h", "socket_timeout": 9}]),
    ],
)
@pytest.mark.parametrize(("url", "own"), [(UNIX, ("redis",)), ("", ())])
def test_a_layer_of_its_own_keeps_its_address_and_waits(hosts, repaired, url, own):
    core = "channels_redis.core.RedisChannelLayer"
    theirs = {"default": {"BACKEND": core, "CONFIG": {"hosts": hosts}}}
    found = settings_of({"CHANNEL_LAYERS": theirs}, url, own)["CHANNEL_LAYERS"]
    assert found == {"default": {"BACKEND": core, "CONFIG": {"hosts": repaired}}}


@pytest.mark.parametrize(
    ("cache", "url", "location"),
    [
        ({"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://x:6379/3"}, UNIX, f"{UNIX}?db=3"),
        ({"BACKEND": "django_redis.cache.RedisCache", "LOCATION": ["redis://x:6379"]}, UNIX, f"{UNIX}?db=1"),
        (
            {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://x/2"},
            TCP,
            "redis://redis:6379/2",
        ),
        ({"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}, TCP, "redis://redis:6379/1"),
        (
            {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "x:11211"},
            UNIX,
            f"{UNIX}?db=1",
        ),
    ],
)
def test_a_cache_moves_into_a_database_of_its_own(cache, url, location):
    assert settings_of({"CACHES": {"default": cache}}, url)["CACHES"]["default"]["LOCATION"] == location


def test_options_that_say_how_to_connect_are_dropped_and_others_stay():
    options = {"CLIENT_CLASS": "django_redis.client.DefaultClient", "PASSWORD": "x", "CONNECTION_POOL_KWARGS": {}}
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://x", "KEY_PREFIX": "p", "OPTIONS": options}
    found = settings_of({"CACHES": {"default": cache}})["CACHES"]["default"]
    assert found["OPTIONS"] == {"CLIENT_CLASS": "django_redis.client.DefaultClient"}
    assert found["KEY_PREFIX"] == "p"


@pytest.mark.parametrize("backend", ["db.DatabaseCache", "dummy.DummyCache"])
def test_a_cache_that_all_processes_share_already_stays(backend):
    cache = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "x"}}
    assert settings_of({"CACHES": cache})["CACHES"] == cache


@pytest.mark.parametrize(
    ("name", "value", "url", "expected"),
    [
        ("CELERY_BROKER_URL", "redis://localhost:6379/0", UNIX, "redis+socket:///run/mysite/redis.sock?virtual_host=0"),
        ("CELERY_RESULT_BACKEND", "redis://x/2", UNIX, "redis+socket:///run/mysite/redis.sock?virtual_host=2"),
        ("CELERY_BROKER_URL", "redis://localhost:6379/0", TCP, TCP),
        ("REDIS_URL", "rediss://user:pw@cloud.example:6380", UNIX, UNIX),
        ("CELERY_BROKER_URL", "amqp://guest@localhost//", UNIX, "amqp://guest@localhost//"),
    ],
)
def test_addresses_in_other_settings_are_the_sites(name, value, url, expected):
    assert settings_of({name: value}, url)[name] == expected


def test_a_project_that_reads_the_address_itself_keeps_everything():
    theirs = {
        "CACHES": {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://given/4"}},
        "CELERY_BROKER_URL": "redis://given/0",
    }
    found = settings_of(theirs, own=("redis",))
    assert {name: found[name] for name in theirs} == theirs


async def test_the_cache_and_the_broker_answer_at_these_addresses(redis_url):
    found = settings_of(
        {"CACHES": {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://x/3"}}}, redis_url
    )
    from redis.asyncio import Redis

    async with Redis.from_url(found["CACHES"]["default"]["LOCATION"]) as client, asyncio.timeout(5):
        assert client.connection_pool.connection_kwargs["db"] == 3
        assert await client.ping()
