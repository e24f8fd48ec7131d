"""The Docker engine: `docker compose` for one site, with its output in a file."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SHOWN_LINES = 25  # of a failure
OLDEST_COMPOSE = (2, 24)


class EngineFailed(Exception):
    """Docker refused. The text is a sentence, and below it what Docker itself printed."""


@dataclass(frozen=True)
class Container:
    """One container of a site."""

    service: str
    is_running: bool
    has_failed: bool
    """Whether it has ended with an error, or its health check fails."""
    ports: frozenset[int]
    """The ports of this machine that lead to it."""


@dataclass(frozen=True)
class Engine:
    """Runs docker compose for the site of one Compose file."""

    compose_file: Path
    project: str
    """The name of the Compose project; "" for the one of the Compose file, or of COMPOSE_PROJECT_NAME."""
    log: Path
    """Gets the output of the commands that `run` starts."""

    def run(self, *arguments: str, doing: str, stdin: str = "") -> str:
        """Run docker compose and return its standard output.

        Args:
            arguments: the command and its arguments.
            doing: the end of the sentence "cannot ..." for a failure.
            stdin: what the command gets as its standard input.

        Raises:
            EngineFailed: its exit code is not 0.
        """
        command = [*self._compose, *arguments]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w+") as log:
            env = {**os.environ, "BUILDKIT_PROGRESS": "plain"}
            ended = subprocess.run(
                command, input=stdin, stdout=subprocess.PIPE, stderr=log, text=True, env=env, check=False
            )
            log.write(ended.stdout)
        if ended.returncode != 0:
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            shown = "\n".join(f"    {line}" for line in lines[-SHOWN_LINES:])
            raise EngineFailed(f"cannot {doing}; Docker says (all of it is in {self.log}):\n{shown}")
        return ended.stdout

    def list_containers(self) -> list[Container]:
        """Return the containers of the site, the ended ones too; none when there is no engine."""
        listed = self._query("ps", "--all", "--format", "json")
        # Compose before 2.21 prints one list, later versions one object a line.
        found = json.loads(listed) if listed.startswith("[") else [json.loads(line) for line in listed.splitlines()]
        return [
            Container(
                service=each["Service"],
                is_running=each["State"] == "running",
                has_failed=bool(each.get("ExitCode")) or each.get("Health") == "unhealthy",
                ports=frozenset(port["PublishedPort"] for port in each.get("Publishers") or ()),
            )
            for each in found
        ]

    def read_logs(self, service: str) -> str:
        """Return the last lines that a service's containers wrote."""
        return self._query("logs", "--no-color", "--tail", str(SHOWN_LINES), service)

    def _query(self, *arguments: str) -> str:
        command = [*self._compose, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    @property
    def _compose(self) -> list[str]:
        # The option wins over a COMPOSE_PROJECT_NAME that is set for another site.
        project = ["--project-name", self.project] if self.project else []
        # Without the file, Compose still knows the containers that run under the project's name.
        file = ["--file", str(self.compose_file)] if self.compose_file.exists() or not project else []
        return ["docker", "compose", *file, *project]


def check_engine(*, needs_daemon: bool) -> str:
    """Return a sentence that says why containers cannot be started here; "" when they can."""
    try:
        shown = subprocess.run(["docker", "compose", "version", "--short"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "docker is not installed: https://docs.docker.com/engine/install/"
    if shown.returncode != 0:
        return "docker has no `compose`: install its plug-in (docker-compose-plugin, or docker-compose on Debian 13)"
    version = re.match(r"v?(\d+)\.(\d+)", shown.stdout.strip())
    if version and (int(version[1]), int(version[2])) < OLDEST_COMPOSE:
        return f"docker compose is {shown.stdout.strip()}; 2.24 or newer is needed"
    if needs_daemon:
        asked = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"], capture_output=True, text=True, check=False
        )
        if asked.returncode != 0:
            reason = asked.stderr.strip().splitlines()[-1:] or ["it does not answer"]
            return f"the Docker engine cannot be used: {reason[0]}"
    return ""
