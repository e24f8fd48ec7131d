"""A PostgreSQL of a run's own, for a project that works with no other database.

It listens at a unix socket alone, in a folder that nobody else may enter, and trusts who can enter it. PostgreSQL
refuses to run as root: then it runs as the user postgres, which Debian's package makes, with the capability to pass
through folders of root.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.local.services import STOP_TIMEOUT_SECONDS, Service, end_with_parent

INSTALLATIONS = Path("/usr/lib/postgresql")  # Debian has each version in a folder of its own, outside of PATH
SERVER_USER = "postgres"
ROLE = "site"
START_TIMEOUT_SECONDS = 60  # a cluster that was killed recovers first
POLL_SECONDS = 0.05
STOP_ORDER = 3  # after everything that has a connection
COLOUR = "35"


class ClusterFailed(Exception):
    """The cluster cannot be made or started: a sentence, and below it what the program printed."""


@dataclass(frozen=True)
class Cluster:
    """The cluster of one run.

    Attributes:
        folder: for the data and the socket. Removing it removes the data.
        log: the file for what the server logs.
    """

    folder: Path
    log: Path

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The address of the database, as DATABASE_URL has it."""
        return f"postgres://{ROLE}@/{quote(str(self.folder))}/{ROLE}"

    def check(self) -> list[str]:
        """Return a sentence for each reason why this machine cannot run it."""
        if not find_installations():
            return ["not installed: postgresql, which this project needs. Type: sudo apt-get install -y postgresql"]
        try:
            self._program("postgres")
        except ClusterFailed as failed:
            return [str(failed)]
        return []

    def start(self) -> subprocess.Popen[bytes]:
        """Make the cluster where there is none, and return its server once it has a database.

        Raises:
            ClusterFailed: it does not start; the text has what PostgreSQL printed.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER, pwd.getpwnam(SERVER_USER).pw_gid)
        if not self._version():
            self._initialise()
        process = subprocess.Popen(
            self.service().command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._await(process)
            self._create_database()
        except ClusterFailed:
            stop(process)
            raise
        return process

    def service(self) -> Service:
        """Return the server as a service of the run."""
        options = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "",
            "logging_collector": "on",
            "log_directory": str(self.folder),
            "log_filename": self.log.name,
            "log_file_mode": "0640",
            "log_rotation_age": "0",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [self._program("postgres"), "-D", str(self.data), *words]
        return Service("postgresql", as_server_user(command), dict(os.environ), self.folder, STOP_ORDER, COLOUR)

    def _version(self) -> str:
        """Return the version of the data, such as 15, or "" where there are none."""
        file = self.data / "PG_VERSION"
        return file.read_text().strip() if file.is_file() else ""

    def _program(self, name: str) -> str:
        """Return the path of a program: of the version that made the data, or the newest for a new cluster.

        Raises:
            ClusterFailed: no such version is installed.
        """
        version = self._version()
        fitting = [folder for folder in find_installations() if version in {"", folder.parent.name}]
        if not fitting:
            raise ClusterFailed(
                f"{self.data} was made by PostgreSQL {version}, which is not installed. "
                f"Type: sudo apt-get install -y postgresql-{version}"
            )
        return str(fitting[-1] / name)

    def _initialise(self) -> None:
        new = self.folder / "data.new"  # what an interrupted run left is never taken for a cluster
        shutil.rmtree(new, ignore_errors=True)
        self._run("initdb", "-D", str(new), "-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        new.rename(self.data)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self._call("pg_isready", "--quiet", "-h", str(self.folder)).returncode != 0:
            if process.poll() is not None:
                output = process.stdout.read().decode(errors="replace").strip() if process.stdout else ""
                raise ClusterFailed(f"PostgreSQL ended with exit code {process.returncode}:\n{output}")
            if time.monotonic() > deadline:
                raise ClusterFailed(f"PostgreSQL does not answer after {START_TIMEOUT_SECONDS} s; see {self.log}")
            time.sleep(POLL_SECONDS)

    def _create_database(self) -> None:
        query = ("psql", "-h", str(self.folder), "-U", ROLE, "-d", "postgres", "-Atc")
        if not self._run(*query, f"SELECT 1 FROM pg_database WHERE datname = '{ROLE}'").strip():
            self._run("createdb", "-h", str(self.folder), "-U", ROLE, ROLE)

    def _run(self, program: str, *arguments: str) -> str:
        """Run a program of PostgreSQL and return what it printed. Raises ClusterFailed."""
        ended = self._call(program, *arguments)
        if ended.returncode != 0:
            raise ClusterFailed(f"{program} failed:\n{ended.stderr.strip()}")
        return ended.stdout

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = as_server_user([self._program(program), *arguments])
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)


def find_installations() -> list[Path]:
    """Return the folders of PostgreSQL's programs, the oldest version first."""
    found = [path.parent for path in INSTALLATIONS.glob("*/bin/initdb") if path.parts[-3].isdigit()]
    return sorted(found, key=lambda folder: int(folder.parent.name))


def as_server_user(command: list[str]) -> list[str]:
    """Return the command such that root runs it as the user postgres, and such that it ends with this process."""
    if os.geteuid() != 0:
        return end_with_parent(command)
    account = ("--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups")
    # The state folder of root is below /root, which others may not enter.
    passage = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search")
    # Last, because a change of user clears it; setpriv does so whatever the order of its options.
    return ["setpriv", *account, *passage, "--pdeathsig", "TERM", "--", *command]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server that `Cluster.start` returned, and wait for its end. Its clients lose their connections."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
