"""DATABASE_URL names a SQLite file, or a PostgreSQL server by its address or its unix socket."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_stack.database_url import parse_database_url


@pytest.mark.parametrize("file", ["/var/lib/site/db.sqlite3", "relative.sqlite3"])
def test_a_sqlite_file_waits_for_writers_and_lets_readers_pass(file):
    database = parse_database_url(f"sqlite:///{file}")
    assert (database["ENGINE"], database["NAME"]) == ("django.db.backends.sqlite3", file)
    assert database["OPTIONS"] == {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;",
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://name@//run/postgresql/site", ("name", "", "/run/postgresql", "", "site")),
        ("postgres:////run/postgresql/site", ("", "", "/run/postgresql", "", "site")),
        ("postgres://name@%2Frun%2Fpostgresql/site", ("name", "", "/run/postgresql", "", "site")),
        ("postgresql://u:p%40ss@db.example:5433/site", ("u", "p@ss", "db.example", "5433", "site")),
        ("postgres://u:p@[2001:db8::1]:5433/site", ("u", "p", "2001:db8::1", "5433", "site")),
        ("postgres://u:p@a.example:5432,b.example:5433/site", ("u", "p", "a.example,b.example", "5432,5433", "site")),
        ("postgres://u:p@db.example/site", ("u", "p", "db.example", "", "site")),
    ],
)
def test_a_postgresql_server(url, expected):
    database = parse_database_url(url)
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert tuple(database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected


def test_the_query_is_passed_to_libpq():
    database = parse_database_url("postgres://u@h/site?sslmode=require&connect_timeout=2")
    assert database["OPTIONS"] == {"sslmode": "require", "connect_timeout": "2"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "site",
        "mysql://u:hunter@h/x",
        "postgres://u:hunter@h",
        "postgres://u:hunter@h:port/x",
        "sqlite://file",
        "sqlite:///",
        "postgres://u:hunter@[h/x",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is wrong") as refused:
        parse_database_url(url)
    assert "hunter" not in str(refused.value)
