"""Rows of the catalogue behind the handshake: the application, its database, its channel layer."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.doctor.conftest import Fronted
from tests.doctor.front import Front
from tests.doctor.patient import Diagnosis, Doctor
from tests.doctor.tutorial import Server, Tutorial
from tests.nginx.served import until
from tests.postgres import Postgres
from tests.running import Stack


@pytest.fixture
def examined(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> "Examined":
    return Examined(front(tutorial.edits), doctor, tutorial)


class Examined:
    """The tutorial at one of its addresses, with its log."""

    def __init__(self, front: Front, doctor: Doctor, tutorial: Tutorial) -> None:
        self.front, self.doctor, self.log = front, doctor, str(tutorial.log)

    def __call__(self, path: str, *words: str) -> Diagnosis:
        return self.doctor.inside(self.front, "--ws-path", path, "--log", self.log, *words)


def test_11_asgi_serves_http_only(examined: Examined) -> None:
    found = examined("/ws/http-only/")
    assert (found.hop, found.cause, found.code) == ("Channels", "asgi-serves-http-only", 17)


def test_10_no_route(examined: Examined) -> None:
    found = examined("/ws/nowhere/")
    assert (found.hop, found.cause) == ("Channels", "no-route")


def test_10_no_route_here(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(), "--ws-path", "/ws/nowhere/")
    assert (found.hop, found.cause) == ("Channels", "no-route")


def test_7_the_application_fails(examined: Examined) -> None:
    found = examined("/ws/fails/")
    assert (found.hop, found.cause) == ("Channels", "application-fails")


def test_7_redis_is_refused(examined: Examined) -> None:
    found = examined("/ws/refused/")
    assert (found.hop, found.cause, found.code) == ("layer", "redis-is-away", 18)


def test_9_redis_is_too_old(examined: Examined) -> None:
    found = examined("/ws/old/")
    assert (found.hop, found.cause) == ("layer", "redis-is-too-old")


def test_7_redis_is_away(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    here = front()
    stack.kill("redis", hold=True)
    try:
        found = doctor(here)
    finally:
        stack.release("redis")
    until(lambda: doctor(here).hop is None)
    assert (found.hop, found.cause) == ("layer", "redis-is-away")
    assert "/readyz" in found.evidence


def test_32_a_frame_is_too_large(front: Fronted, doctor: Doctor) -> None:
    here = front()
    found = doctor(here, "--frame", "100000")
    assert (found.hop, found.cause) == ("Channels", "frame-is-too-large")
    assert doctor(here, "--frame", "60000").hop is None


@pytest.fixture
def full(postgres: Postgres) -> Iterator[str]:
    """Every connection of a PostgreSQL is taken; its folder."""
    postgres.url("full")
    there = {"host": str(postgres.folder), "user": "parley", "dbname": "full"}
    with contextlib.ExitStack() as held:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(contextlib.closing(psycopg.connect(**there)))
        yield str(postgres.folder)


def test_35_the_database_is_full(front: Fronted, doctor: Doctor, full: str) -> None:
    found = doctor.inside(front(), "--postgres", full)
    assert (found.hop, found.cause) == ("Channels", "database-is-full")


def test_36_words_are_lost_between_sockets(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    here, signed = front(), {"cookie": f"sessionid={cookie}", "room": "harbour"}
    assert doctor(here, **signed).hop is None
    ask = ["redis-cli", "-s", f"{stack.folder}/var/run/redis.sock", "client"]
    subprocess.run([*ask, "pause", "20000", "write"], check=True, stdout=subprocess.DEVNULL)  # PUBLISH waits, PING not
    try:
        found = doctor(here, "--patience", "1", **signed)
    finally:
        subprocess.run([*ask, "unpause"], check=True, stdout=subprocess.DEVNULL)
    assert (found.hop, found.cause, found.code) == ("chat", "words-are-lost-between-sockets", 19)


def test_0_the_session_is_refused(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(), cookie="sessionid=nobody's")
    assert (found.hop, found.cause) == ("chat", "session-is-refused")
    assert "nobody's" not in str(found.said)


PRIVATE = """
from accounts.models import User
from chat.services import rooms
print(rooms.create_private_room(title="Not for alice", owner=User.objects.create_user("owner-of-it")).slug)
"""


def test_0_the_room_is_closed(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    private = stack.run_python(PRIVATE).strip()
    found = doctor(front(), cookie=f"sessionid={cookie}", room=private)
    assert (found.hop, found.cause) == ("chat", "room-is-closed")


def test_0_nobody_says_hello(examined: Examined) -> None:
    found = examined("/ws/ours/mute/", "--patience", "0.5")
    assert (found.hop, found.cause) == ("Channels", "nobody-says-hello")


def test_0_hello_fails(examined: Examined) -> None:
    found = examined("/ws/ours/broken/")
    assert (found.hop, found.cause) == ("Channels", "hello-fails")
    assert "logged as 0a1b" in found.evidence


def test_0_the_database_is_away(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    found = doctor.inside(front(), "--postgres", str(tmp_path))
    assert (found.hop, found.cause) == ("Channels", "database-is-away")


def test_0_migrations_are_missing(
    front: Fronted, doctor: Doctor, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("m")
    words = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan", "off", "--uds"]
    empty = {"DATABASE_URL": f"sqlite:///{folder}/empty.sqlite3", "DJANGO_SETTINGS_MODULE": "config.settings"}
    server = Server(folder, "web", words, **stack.settings_environment() | empty)
    asked = f"location = /readyz {{ include snippets/proxy-headers.conf; proxy_pass http://unix:{server.socket}; }}\n"
    try:
        found = doctor(front({"sites/parley.conf": [("    location /static/ {", f"{asked}    location /static/ {{")]}))
    finally:
        server.end()
    assert (found.hop, found.cause) == ("Channels", "migrations-are-missing")
    assert "chat.0001" in found.evidence
