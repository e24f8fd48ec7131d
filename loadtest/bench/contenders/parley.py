"""Parley: one `python -m realtime.server`, its Redis, and a database of its own."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from loadtest.bench.client.dialects import ROOM
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import REPO, NotStarted, Programs, clean_environment, free_port, redis
from loadtest.proc import maps

SOCKETS_PER_USER = 10  # the product's limit for one process
SECRET_KEY = secrets.token_urlsafe(50)  # one for the whole run: the sessions of a prepared database are signed by it

# Members exist before they connect: in a room of a thousand, a thousand people joining would be a million deliveries.
SETUP = """
import json, sys
import django
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import transaction
from accounts.guests import make_guest
from chat.services import rooms
call_command("migrate", interactive=False, verbosity=0)
call_command("createcachetable", verbosity=0)
cookies = []
with transaction.atomic():
    for number in range(int(sys.argv[2])):
        guest = make_guest(f"Guest {number}")
        rooms.join_room(slug=sys.argv[1], user=guest)
        session = SessionStore()
        session[SESSION_KEY] = str(guest.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = guest.get_session_auth_hash()
        session.create()
        cookies.append(session.session_key)
print(json.dumps(cookies))
"""


@dataclass(frozen=True)
class Parley:
    """unix: on a unix socket instead of TCP. server: daphne or uvicorn. env: added to the server's environment."""

    server: str = "daphne"
    unix: bool = False
    database: str = ""  # a URL; empty: SQLite
    database_pid: int = 0  # counted as "database", where that is a process
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "parley" + ("-uvicorn" if self.server == "uvicorn" else "") + ("-unix" if self.unix else "")

    @property
    def title(self) -> str:
        return f"Parley, {self.server}" + (", unix socket" if self.unix else "")

    def missing(self) -> str | None:
        return None

    def start(self, programs: Programs, members: int) -> Target:
        users = -(-members // SOCKETS_PER_USER) + 1
        if self.database:
            database = self.database
            cookies = prepare(database, users)
            programs.groups["database"].append(self.database_pid)
        else:
            prepared, cookies = prepared_sqlite(users)
            shutil.copy(prepared, programs.folder / "parley.sqlite3")
            database = f"sqlite:///{programs.folder}/parley.sqlite3"
        env = {
            **settings(database),
            "REDIS_URL": f"unix://{redis(programs)}",
            "ASGI_SERVER": self.server,
            "DRAIN_SECONDS": "0",
            **self.env,
        }
        path = str(programs.folder / "ws.sock") if self.unix else ""
        address = Address(path=path) if path else Address(port=free_port())
        where = ["--unix", path] if path else ["--tcp", f"127.0.0.1:{address.port}"]
        command = [sys.executable, "-m", "realtime.server", *where]
        process = programs.start("server", command, env=env, cwd=REPO / "app")
        programs.await_listening(address)
        if self.server == "uvicorn" and not maps(process.pid, "uvloop"):
            raise NotStarted("it did not load uvloop, so this is not uvicorn")
        return Target(address, "parley", cookies=cookies, listening_pid=process.pid)


def settings(database: str) -> dict[str, str]:
    """The environment of a site."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PARLEY_ENV_FILE": "/dev/null",
        "PYTHONPATH": str(REPO / "app"),
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        # One member says what a whole room would; the limits on one person are not what is measured.
        "SOCKET_RATE": "1000000",
        "SOCKET_BURST": "1000000",
    }


def prepare(database: str, users: int) -> list[str]:
    """Make tables, users and their room; returns their session cookies."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SETUP, ROOM, str(users)],
        cwd=REPO / "app",
        env={**clean_environment(), **settings(database), "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotStarted(f"its database could not be prepared: {done.stderr.strip()[-300:]}")
    cookies: list[str] = json.loads(done.stdout)
    return cookies


@cache
def prepared_sqlite(users: int) -> tuple[Path, list[str]]:
    """A database with so many members, made once in a run."""
    folder = Programs.scratch()
    path = folder / f"parley-{users}.sqlite3"
    cookies = prepare(f"sqlite:///{path}", users)
    return path, cookies
