"""The overlay sets what only the stack knows, leaves everything else, and records each change with its reason."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_stack.description import Site
from channels_stack.overlay import Secrets, apply_overlay

SITE: dict[str, Any] = {
    "name": "mysite",
    "settings": "mysite.settings",
    "hosts": ["chat.example.org"],
    "origins": ["https://chat.example.org"],
    "static_root": "/srv/static",
    "media_root": "/srv/media",
}
SECRETS = Secrets(secret_key="the key of the site", database_url="postgres://mysite@//run/postgresql/mysite")


def overlay(theirs: dict[str, Any], **site: Any):
    """Return the settings, and the records by name."""
    found = apply_overlay(theirs, Site(**SITE | site), SECRETS)
    return found.settings, {override.name: override for override in found.overrides}


# (the project's settings, fields of the site, the setting, its value afterwards)
CASES = [
    ({"DEBUG": True}, {}, "DEBUG", False),
    ({"SECRET_KEY": "django-insecure"}, {}, "SECRET_KEY", "the key of the site"),
    ({"SECRET_KEY": "from its variable"}, {"own": ["secret"]}, "SECRET_KEY", "from its variable"),
    ({}, {}, "ALLOWED_HOSTS", ["chat.example.org"]),
    ({"ALLOWED_HOSTS": "*"}, {}, "ALLOWED_HOSTS", ["chat.example.org"]),
    ({"ALLOWED_HOSTS": ["a.example"]}, {"own": ["hosts"]}, "ALLOWED_HOSTS", ["a.example"]),
    ({"ALLOWED_HOSTS": "a.example, b.example"}, {"own": ["hosts"]}, "ALLOWED_HOSTS", ["a.example", "b.example"]),
    ({}, {}, "CSRF_TRUSTED_ORIGINS", ["https://chat.example.org"]),
    (
        {"CSRF_TRUSTED_ORIGINS": ["localhost", "https://shop.example"]},
        {},
        "CSRF_TRUSTED_ORIGINS",
        ["https://chat.example.org", "https://shop.example"],
    ),
    ({"CSRF_TRUSTED_ORIGINS": ["https://a.example"]}, {"own": ["url"]}, "CSRF_TRUSTED_ORIGINS", ["https://a.example"]),
    ({}, {}, "SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
    ({}, {}, "SESSION_COOKIE_SECURE", True),
    ({}, {}, "CSRF_COOKIE_SECURE", True),
    ({"SESSION_COOKIE_DOMAIN": ".example.net"}, {}, "SESSION_COOKIE_DOMAIN", None),
    ({"SESSION_COOKIE_DOMAIN": ".example.org"}, {}, "SESSION_COOKIE_DOMAIN", ".example.org"),
    ({"STATIC_URL": None}, {}, "STATIC_URL", "/static/"),
    ({"STATIC_URL": "assets/"}, {}, "STATIC_URL", "assets/"),
    ({"STATIC_ROOT": "staticfiles"}, {}, "STATIC_ROOT", "/srv/static"),
    ({"MEDIA_ROOT": "/app/media", "MEDIA_URL": "/uploads/"}, {}, "MEDIA_ROOT", "/srv/media"),
    ({"MEDIA_ROOT": "/app/media", "MEDIA_URL": "/uploads/"}, {}, "MEDIA_URL", "/uploads/"),
    ({}, {}, "MEDIA_URL", "/media/"),
    ({"MEDIA_ROOT": "/app/media"}, {"media_root": ""}, "MEDIA_ROOT", "/app/media"),
    ({"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}, {}, "SESSION_ENGINE", None),
    ({"ASGI_APPLICATION": "mysite.asgi.application"}, {}, "ASGI_APPLICATION", "channels_stack.asgi.application"),
]


@pytest.mark.parametrize(("theirs", "site", "name", "value"), CASES)
def test_a_setting_has_its_value(theirs, site, name, value):
    if name == "SESSION_ENGINE":
        theirs = theirs | {"INSTALLED_APPS": ["django.contrib.sessions"]}
        value = "django.contrib.sessions.backends.db"
    settings, records = overlay(theirs, **site)
    assert settings[name] == value
    assert (name in records) is (theirs.get(name, records) != value), "each change is recorded, and nothing else"


def test_what_the_stack_does_not_know_stays():
    theirs = {"LOGIN_URL": "/in/", "EMAIL_HOST": "mail.example", "AUTH_USER_MODEL": "people.Person", "TIME_ZONE": "UTC"}
    settings, records = overlay(theirs)
    assert {name: settings[name] for name in theirs} == theirs
    assert not records.keys() & theirs.keys()


def test_the_projects_settings_are_not_changed():
    theirs = {"MIDDLEWARE": ["a"], "DATABASES": {"default": {"ENGINE": "x"}}}
    settings, _ = overlay(theirs, database="given")
    assert theirs == {"MIDDLEWARE": ["a"], "DATABASES": {"default": {"ENGINE": "x"}}}
    assert settings["MIDDLEWARE"][-1] == "a"


def test_cookies_of_a_site_without_https_travel_without_it():
    settings, records = overlay({}, secure=False)
    assert "SESSION_COOKIE_SECURE" not in settings
    assert "SESSION_COOKIE_SECURE" not in records


def test_every_record_has_a_reason_and_none_shows_a_secret():
    theirs = {
        "SECRET_KEY": "hunter-key",
        "CELERY_BROKER_URL": "redis://:hunter-redis@cloud.example:6379/3",
        "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "PASSWORD": "hunter-db"}},
        "CACHES": {
            "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://:hunter-cache@cloud.example/1"}
        },
        "CHANNEL_LAYERS": {
            "default": {
                "BACKEND": "channels_redis.core.RedisChannelLayer",
                "CONFIG": {"hosts": ["redis://:hunter-layer@cloud.example:6379"]},
            }
        },
    }
    _, records = overlay(theirs, database="given", redis_url="redis://:hunter-ours@127.0.0.1/0")
    assert records.keys() >= theirs.keys()
    for record in records.values():
        assert record.why.endswith(".")
        assert "hunter" not in str(record)
        assert "the key of the site" not in str(record)


def test_former_keys_of_the_site_come_before_those_of_the_project():
    secrets = Secrets(secret_key="new", secret_key_fallbacks="second\nfirst\n")
    found = apply_overlay({"SECRET_KEY_FALLBACKS": ["first", "theirs"]}, Site(**SITE), secrets)
    assert found.settings["SECRET_KEY_FALLBACKS"] == ["second", "first", "theirs"]
    (record,) = [record for record in found.overrides if record.name == "SECRET_KEY_FALLBACKS"]
    assert not {"first", "second", "theirs"} & set(str(record).replace(",", " ").split())


@pytest.mark.parametrize(
    ("apps", "added"),
    [
        (["django.contrib.auth"], ["channels_stack.apps.ChannelsStackConfig"]),
        (["django.contrib.auth", "channels_stack.apps.ChannelsStackConfig"], []),
        (["channels"], []),
    ],
)
def test_a_project_with_users_gets_a_key_for_the_hashes_of_its_sessions(apps, added):
    secrets = Secrets(secret_key="new", session_hash_key="the first key")
    settings = apply_overlay({"INSTALLED_APPS": apps}, Site(**SITE), secrets).settings
    assert settings["INSTALLED_APPS"] == [*apps, *added]
    assert settings.get("SESSION_HASH_KEY") == ("the first key" if added else None)


def test_a_missing_database_url_is_named():
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not set"):
        apply_overlay({}, Site(**SITE | {"database": "given"}), Secrets(secret_key="x"))


# --- DATABASES


def test_the_given_database_is_the_default_one_and_others_stay():
    other = {"ENGINE": "django.db.backends.mysql", "NAME": "archive"}
    theirs = {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}, "other": other}}
    settings, records = overlay(theirs, database="given")
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert settings["DATABASES"]["default"]["HOST"] == "/run/postgresql"
    assert settings["DATABASES"]["other"] == other
    assert (records["DATABASES"].before, records["DATABASES"].after) == (
        "sqlite3 db.sqlite3",
        "postgresql mysite at /run/postgresql",
    )


def test_an_engine_of_the_same_kind_and_what_queries_rely_on_stay():
    theirs = {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "NAME": "x",
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"options": "-c search_path=chat", "sslmode": "require"},
    }
    settings, _ = overlay({"DATABASES": {"default": theirs}}, database="given")
    default = settings["DATABASES"]["default"]
    assert default["ENGINE"] == "django.contrib.gis.db.backends.postgis"
    assert default["ATOMIC_REQUESTS"] is True
    assert default["OPTIONS"] == {"options": "-c search_path=chat"}


@pytest.mark.parametrize("site", [{"database": "own"}, {"database": "given", "own": ["database"]}])
def test_a_database_of_its_own_stays(site):
    theirs = {"DATABASES": {"default": {"ENGINE": "django.db.backends.mysql", "NAME": "x"}}}
    settings, records = overlay(theirs, **site)
    assert settings["DATABASES"] == theirs["DATABASES"]
    assert "DATABASES" not in records
