"""Causes behind the handshake: the application, its database, its channel layer."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.doctor.channels_site import ChannelsSite, UnixServer
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Diagnosis, Doctor
from tests.nginx.served import until
from tests.postgres import Postgres
from tests.running import Stack

Examine = Callable[..., Diagnosis]


@pytest.fixture
def examine(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> Examine:
    """Runs the doctor at one of the paths of the Channels site, with the site's log."""
    nginx = start_nginx(channels_site.edits)

    def run(path: str, *options: str) -> Diagnosis:
        return doctor.on_host(nginx, "--ws-path", path, "--log", str(channels_site.log), *options)

    return run


def test_11_asgi_serves_http_only(examine: Examine) -> None:
    found = examine("/ws/http-only/")
    assert (found.hop, found.cause, found.exit_code) == ("Channels", "asgi-serves-http-only", 17)


def test_10_no_route(examine: Examine) -> None:
    found = examine("/ws/nowhere/")
    assert (found.hop, found.cause) == ("Channels", "no-route")


def test_10_no_route_in_parley(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(), "--ws-path", "/ws/nowhere/")
    assert (found.hop, found.cause) == ("Channels", "no-route")


def test_7_the_application_fails(examine: Examine) -> None:
    found = examine("/ws/fails/")
    assert (found.hop, found.cause) == ("Channels", "application-fails")


def test_7_redis_is_refused(examine: Examine) -> None:
    found = examine("/ws/refused/")
    assert (found.hop, found.cause, found.exit_code) == ("layer", "redis-is-away", 18)


def test_9_redis_is_too_old(examine: Examine) -> None:
    found = examine("/ws/old/")
    assert (found.hop, found.cause) == ("layer", "redis-is-too-old")


def test_7_redis_is_away(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    nginx = start_nginx()
    stack.kill("redis", hold=True)
    try:
        found = doctor(nginx)
    finally:
        stack.release("redis")
    until(lambda: doctor(nginx).hop is None)
    assert (found.hop, found.cause) == ("layer", "redis-is-away")
    assert "/readyz" in found.evidence


def test_32_a_frame_is_too_large(start_nginx: StartNginx, doctor: Doctor) -> None:
    nginx = start_nginx()
    found = doctor(nginx, "--frame", "100000")
    assert (found.hop, found.cause) == ("Channels", "frame-is-too-large")
    assert doctor(nginx, "--frame", "60000").hop is None


@pytest.fixture
def full_postgres(postgres: Postgres) -> Iterator[str]:
    """The folder of a PostgreSQL that has no free connection."""
    postgres.url("full")
    settings = {"host": str(postgres.folder), "user": "parley", "dbname": "full"}
    with contextlib.ExitStack() as held:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(contextlib.closing(psycopg.connect(**settings)))
        yield str(postgres.folder)


def test_35_the_database_is_full(start_nginx: StartNginx, doctor: Doctor, full_postgres: str) -> None:
    found = doctor.on_host(start_nginx(), "--postgres", full_postgres)
    assert (found.hop, found.cause) == ("Channels", "database-is-full")


def test_36_events_are_lost_between_sockets(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    nginx, sign_in = start_nginx(), {"cookie": f"sessionid={cookie}", "room": "harbour"}
    assert doctor(nginx, **sign_in).hop is None
    redis_cli = ["redis-cli", "-s", f"{stack.folder}/var/run/redis.sock", "client"]
    # The pause delays PUBLISH and not PING.
    subprocess.run([*redis_cli, "pause", "20000", "write"], check=True, stdout=subprocess.DEVNULL)
    try:
        found = doctor(nginx, "--timeout", "1", **sign_in)
    finally:
        subprocess.run([*redis_cli, "unpause"], check=True, stdout=subprocess.DEVNULL)
    assert (found.hop, found.cause, found.exit_code) == ("chat", "events-are-lost-between-sockets", 19)


def test_0_the_session_is_refused(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(), cookie="sessionid=unknown-session")
    assert (found.hop, found.cause) == ("chat", "session-is-refused")
    assert "unknown-session" not in str(found.report)


PRIVATE = """
from accounts.models import User
from chat.services import rooms
print(rooms.create_private_room(title="Not for alice", owner=User.objects.create_user("owner-of-it")).slug)
"""


def test_0_the_room_is_closed(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    private = stack.run_python(PRIVATE).strip()
    found = doctor(start_nginx(), cookie=f"sessionid={cookie}", room=private)
    assert (found.hop, found.cause) == ("chat", "room-is-closed")


def test_0_hello_is_not_answered(examine: Examine) -> None:
    found = examine("/ws/parley/mute/", "--timeout", "0.5")
    assert (found.hop, found.cause) == ("Channels", "hello-is-not-answered")


def test_0_hello_fails(examine: Examine) -> None:
    found = examine("/ws/parley/broken/")
    assert (found.hop, found.cause) == ("Channels", "hello-fails")
    assert "logged as 0a1b" in found.evidence


def test_0_the_database_is_away(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    found = doctor.on_host(start_nginx(), "--postgres", str(tmp_path))
    assert (found.hop, found.cause) == ("Channels", "database-is-away")


def test_0_migrations_are_missing(
    start_nginx: StartNginx, doctor: Doctor, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("m")
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan", "off", "--uds"]
    empty = {"DATABASE_URL": f"sqlite:///{folder}/empty.sqlite3", "DJANGO_SETTINGS_MODULE": "config.settings"}
    server = UnixServer(folder, "web", command, **stack.settings_environment() | empty)
    location = (
        f"location = /readyz {{ include snippets/proxy-headers.conf; proxy_pass http://unix:{server.socket}; }}\n"
    )
    try:
        found = doctor(
            start_nginx({"sites/site.conf": [("    location /static/ {", f"{location}    location /static/ {{")]})
        )
    finally:
        server.stop()
    assert (found.hop, found.cause) == ("Channels", "migrations-are-missing")
    assert "chat.0001" in found.evidence
