"""A Parley in containers for this test run: the same files, with other names and ports."""

import json
import os
import re
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from config.variables import VARIABLES
from deploy.program import FORMER_PREFIX
from tests import signed_in
from tests.acceptance.site import Site
from tests.running import REPO, free_port


def environment() -> dict[str, str]:
    """Return the environment without the settings of a site on this machine and without those of the unit tests."""
    former_names = (REPO / "docker/former-names.env").read_text()
    own = re.findall(r"^(\w+)=", former_names, re.MULTILINE)
    removed = (*own, FORMER_PREFIX, "COMPOSE_", "DRAIN_SECONDS", *VARIABLES)
    return {name: value for name, value in os.environ.items() if not name.startswith(removed)}


class Compose:
    """One compose project: `up()` starts it and `down()` removes it. Tests use the engine through it."""

    def __init__(self) -> None:
        self.project = f"parley-test-{secrets.token_hex(3)}"
        self.https_port, self.http_port = free_port(), free_port()
        self.dev_port, self.prometheus_port = free_port(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-docker-"))
        self.environment = {
            **environment(),
            "COMPOSE_PROJECT_NAME": self.project,
            # Other tags than those of a site on this machine, which keeps its images.
            "SITE_IMAGE": f"{self.project}:app",
            "SITE_NGINX_IMAGE": f"{self.project}:nginx",
            "SITE_LOAD_IMAGE": f"{self.project}:load",
            "HTTPS_PORT": str(self.https_port),
            "HTTP_PORT": str(self.http_port),
            "DEV_PORT": str(self.dev_port),
            "PROMETHEUS_PORT": str(self.prometheus_port),
            "SOCKET_RATE": "1000",
            "SOCKET_BURST": "1000",
        }
        self.url = f"https://localhost:{self.https_port}"
        self.http_url = f"http://localhost:{self.http_port}"

    # --- the engine

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Run docker compose and return its output."""
        return self.run("docker", "compose", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(command, cwd=REPO, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def docker(self, *arguments: str, check: bool = True) -> str:
        return self.run("docker", *arguments, check=check)

    def up(self, *arguments: str) -> None:
        self("up", "--detach", "--wait", *arguments)

    def down(self) -> None:
        self("--profile", "*", "down", "--volumes", "--timeout", "5", "--remove-orphans", check=False)
        images = self.docker("images", "--quiet", "--filter", f"reference={self.project}*").split()
        if images:
            self.docker("rmi", "--force", *images, check=False)

    def containers(self, *services: str) -> list[str]:
        """Return the ids of the running containers of these services."""
        return self("ps", "--quiet", *services).split()

    def inspect(self, *names: str) -> list[dict[str, Any]]:
        return list(json.loads(self.docker("inspect", *names)))

    # --- the site

    @property
    def ca(self) -> Path:
        """The certificate that the first start has created."""
        file = self.folder / "ca.pem"
        if not file.exists():
            file.write_text(self("exec", "-T", "nginx", "cat", "/etc/nginx/tls/fullchain.pem"))
        return file

    @property
    def site(self) -> Site:
        """The site for the acceptance tests."""
        return Site(url=self.url, http_url=self.http_url, traits=frozenset({"nginx"}), ca=self.ca)

    def people(self, *names: str) -> list[str]:
        """Return session cookies of these accounts, which are created where they do not exist."""
        code = f"{Path(signed_in.__file__).read_text()}\nimport json\nprint(json.dumps(sessions_of({list(names)!r})))"
        return list(json.loads(self.shell(code)))

    def shell(self, code: str) -> str:
        """Run Python code with the site's settings and return the last line of its output."""
        output = self("exec", "-T", "web", "python", "manage.py", "shell", "--verbosity", "0", "-c", code)
        return output.splitlines()[-1]

    def sockets(self, container: str) -> int:
        """Return how many sockets this ws has open."""
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        metrics = self.docker("exec", container, "python", "-c", ask)
        line = next(line for line in metrics.splitlines() if line.startswith("channels_sockets_open "))
        return int(float(line.split()[1]))
