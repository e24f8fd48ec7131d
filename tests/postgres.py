"""A PostgreSQL server for this test run, in a temporary folder, on a unix socket."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class Postgres:
    """A running server: `Postgres()` starts it, stop() ends it."""

    def __init__(self) -> None:
        self.bin = newest_installation()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-pg-"))
        # The server refuses to run as root.
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_user:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", f"{self.folder}/data", "-U", "parley", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=200"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def url(self, name: str) -> str:
        """Create an empty database with this name and return its URL."""
        self._run("createdb", "-h", str(self.folder), "-U", "parley", name)
        return f"postgres://parley@/{self.folder}/{name}"

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self.as_user, str(self.bin / program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"


def newest_installation() -> Path:
    """Return the folder of the newest installed version. Debian installs each version in a folder outside PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is not installed: make test does that"
    return found[-1].parent
