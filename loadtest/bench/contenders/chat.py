"""The chat that comes with the stack: one WebSocket server, its Redis, and a database."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from loadtest.bench.address import Address
from loadtest.bench.client.protocols import CHAT_ROOM
from loadtest.bench.contenders.contender import Target
from loadtest.bench.servers import NotStarted, ServerProcesses, start_redis
from loadtest.core.host import REPO, clean_environment, find_free_port
from loadtest.core.program import OURS, TITLE

SOCKETS_PER_USER = 10  # the product's limit for one process
SECRET_KEY = secrets.token_urlsafe(50)  # one for the whole run: the sessions of a prepared database are signed with it

# Members exist before they connect: in a room of a thousand, a thousand members joining would be a million deliveries.
# Only management commands are called, so the benchmark knows nothing of the application's code.
SETUP = """
import sys
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("load_people", int(sys.argv[1]), rooms=1)
"""


@dataclass(frozen=True)
class BundledChat:
    """One server process.

    Attributes:
        unix: listen on a unix socket instead of TCP.
        database: a URL; empty for SQLite.
        database_pid: measured as "database", if the database is a process.
        env: added to the server's environment.
    """

    unix: bool = False
    database: str = ""
    database_pid: int = 0
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As on the command line and in the results."""
        return f"{OURS}-unix" if self.unix else OURS

    @property
    def title(self) -> str:
        """As in the table."""
        return f"{TITLE}, daphne" + (", unix socket" if self.unix else "")

    def find_obstacle(self) -> str | None:
        """Return None: all of it is always installed."""
        return None

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Prepare the database, start Redis and the server."""
        users = -(-members // SOCKETS_PER_USER) + 1
        if self.database:
            database = self.database
            cookies = prepare_database(database, users)
            servers.groups["database"].append(self.database_pid)
        else:
            prepared, cookies = prepare_sqlite(users)
            shutil.copy(prepared, servers.folder / "chat.sqlite3")
            database = f"sqlite:///{servers.folder}/chat.sqlite3"
        env = {
            **build_environment(database),
            "REDIS_URL": f"unix://{start_redis(servers)}",
            "DRAIN_SECONDS": "0",
            **self.env,
        }
        path = str(servers.folder / "ws.sock") if self.unix else ""
        address = Address(path=path) if path else Address(port=find_free_port())
        listen = ["--unix", path] if path else ["--tcp", f"127.0.0.1:{address.port}"]
        command = [sys.executable, "-m", "channels_realtime.server", *listen]
        process = servers.start("server", command, env=env, cwd=REPO / "app")
        servers.await_listening(address)
        return Target(address, OURS, cookies=cookies, listening_pid=process.pid)


def build_environment(database: str) -> dict[str, str]:
    """Return the environment of a site with this database."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STACK_ENV_FILE": "/dev/null",
        "PYTHONPATH": str(REPO / "app"),
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        # A few members send what a whole room would; the limits for one user are not what is measured.
        "SOCKET_RATE": "1000000",
        "SOCKET_BURST": "1000000",
    }


def prepare_database(database: str, users: int) -> list[str]:
    """Make the tables, and so many users that are members of one room; return their session cookies.

    Raises:
        NotStarted: a command failed.
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SETUP, str(users)],
        cwd=REPO / "app",
        env={**clean_environment(), **build_environment(database), "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotStarted(f"its database could not be prepared: {done.stderr.strip()[-300:]}")
    made = json.loads(done.stdout)
    if made["rooms"] != [CHAT_ROOM]:
        raise NotStarted(f"load_people made the rooms {made['rooms']} and not {CHAT_ROOM}")
    cookies: list[str] = made["cookies"]
    return cookies


@cache
def prepare_sqlite(users: int) -> tuple[Path, list[str]]:
    """Return the path of a database with so many users, and their session cookies. It is made once in a run."""
    path = ServerProcesses.shared_folder() / f"chat-{users}.sqlite3"
    return path, prepare_database(f"sqlite:///{path}", users)
