"""A Parley in containers of this test run's own: other names and ports, the same files."""

import json
import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from config.variables import VARIABLES
from tests import signed_in
from tests.acceptance.site import Site
from tests.running import REPO, free_port


def environment() -> dict[str, str]:
    """Ours, without what the machine's owner says of a site of their own, and without the unit tests' settings."""
    theirs = ("PARLEY_", "COMPOSE_", "DRAIN_SECONDS", *VARIABLES)
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


class Compose:
    """Made by `up()`, ended by `down()`. What a test asks of the engine goes through here."""

    def __init__(self) -> None:
        self.project = f"parley-test-{secrets.token_hex(3)}"
        self.https_port, self.http_port = free_port(), free_port()
        self.dev_port, self.prometheus_port = free_port(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-docker-"))
        self.environment = {
            **environment(),
            "COMPOSE_PROJECT_NAME": self.project,
            # Tags of our own: what the machine's owner runs keeps its image.
            "PARLEY_IMAGE": f"{self.project}:app",
            "PARLEY_NGINX_IMAGE": f"{self.project}:nginx",
            "PARLEY_HTTPS_PORT": str(self.https_port),
            "PARLEY_HTTP_PORT": str(self.http_port),
            "PARLEY_DEV_PORT": str(self.dev_port),
            "PARLEY_PROMETHEUS_PORT": str(self.prometheus_port),
            "SOCKET_RATE": "1000",
            "SOCKET_BURST": "1000",
        }
        self.url = f"https://localhost:{self.https_port}"
        self.http_url = f"http://localhost:{self.http_port}"

    # --- the engine

    def __call__(self, *words: str, check: bool = True) -> str:
        """docker compose; returns what it prints."""
        return self.run("docker", "compose", *words, check=check)

    def run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(words, cwd=REPO, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def docker(self, *words: str, check: bool = True) -> str:
        return self.run("docker", *words, check=check)

    def up(self, *words: str) -> None:
        self("up", "--detach", "--wait", *words)

    def down(self) -> None:
        self("--profile", "*", "down", "--volumes", "--timeout", "5", "--remove-orphans", check=False)
        images = self.docker("images", "--quiet", "--filter", f"reference={self.project}*").split()
        if images:
            self.docker("rmi", "--force", *images, check=False)

    def containers(self, *services: str) -> list[str]:
        """Ids of the running ones."""
        return self("ps", "--quiet", *services).split()

    def inspect(self, *names: str) -> list[dict[str, Any]]:
        return list(json.loads(self.docker("inspect", *names)))

    # --- the site

    @property
    def ca(self) -> Path:
        """The certificate that the first start has made."""
        file = self.folder / "ca.pem"
        if not file.exists():
            file.write_text(self("exec", "-T", "nginx", "cat", "/etc/nginx/tls/fullchain.pem"))
        return file

    @property
    def site(self) -> Site:
        """As the acceptance tests see it."""
        return Site(url=self.url, http_url=self.http_url, traits=frozenset({"nginx"}), ca=self.ca)

    def people(self, *names: str) -> list[str]:
        """Session cookies of these people, who are made where they do not exist."""
        code = f"{Path(signed_in.__file__).read_text()}\nimport json\nprint(json.dumps(sessions_of({list(names)!r})))"
        return list(json.loads(self.shell(code)))

    def shell(self, code: str) -> str:
        """Run it with the site's settings; returns the last line that it prints."""
        said = self("exec", "-T", "web", "python", "manage.py", "shell", "--verbosity", "0", "-c", code)
        return said.splitlines()[-1]

    def sockets(self, container: str) -> int:
        """How many sockets this ws has open."""
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        metrics = self.docker("exec", container, "python", "-c", ask)
        line = next(line for line in metrics.splitlines() if line.startswith("parley_sockets_open "))
        return int(float(line.split()[1]))
