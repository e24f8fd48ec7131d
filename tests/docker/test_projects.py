"""`parley up` and `parley down` with projects that know nothing of the stack, in containers.

The guests go through the acceptance suite of tests/guests, which also stops the site by `parley down`, starts it again
by `parley up`, and looks for the data.
"""

import os
import secrets
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docker.compose import environment
from tests.running import REPO, free_port

GUESTS = REPO / "tests" / "guests"
# What differs from the guest's own manifest, so that these tests reach more of it.
FIELDS = {
    "gallery": """
database = "sqlite"
secrets = ["GALLERY_TOKEN"]
variables = { GALLERY_PRICE = "$5 and ${HOME}" }
release = ["env > /made/media/release.txt"]
""",
}
TABLES = {
    "gallery": """
[timers.tick]
run = "echo $GALLERY_TOKEN > /made/media/tick.txt"
calendar = "*:*:*"
""",
}
SUITES = {
    "tutorial": ["test_pages.py", "test_forms.py", "test_readiness.py", "test_sockets.py", "test_restart.py"],
    "gallery": ["test_media.py", "test_sockets.py", "test_restart.py"],
    "notifications": ["test_processes.py", "test_sockets.py"],
}
# `make test-docker` takes the tutorial alone; `make test-projects` takes all of them, which adds some minutes.
CHOSEN = os.environ.get("TEST_PROJECTS", "tutorial").split(",")
TOKEN = "a token with spaces, $HOME and 'quotes'"
SUITE_TIMEOUT_SECONDS = 280


class Project:
    """A copy of a guest under another name, which is that of its containers."""

    def __init__(self, guest: str, folder: Path, name: str = "") -> None:
        self.guest = guest
        self.name = name or f"{guest}-{secrets.token_hex(3)}"
        self.folder = folder / "project"
        shutil.copytree(GUESTS / guest, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        manifest = self.folder / "stack.toml"
        lines = [line for line in manifest.read_text().splitlines() if not line.startswith("name = ")]
        fields, tables = FIELDS.get(guest, ""), TABLES.get(guest, "")
        self.https_port, self.http_port, self.third_port = free_port(), free_port(), free_port()
        first = [f'name = "{self.name}"', f"ports = [{self.third_port}]"]
        manifest.write_text("\n".join([*first, fields, *lines, tables]))
        self.environment = {
            **environment(),
            "XDG_STATE_HOME": str(folder / "state"),
            "HTTPS_PORT": str(self.https_port),
            "HTTP_PORT": str(self.http_port),
            "GALLERY_TOKEN": TOKEN,
        }
        self.ca = folder / "ca.pem"
        self.printed = ""

    def parley(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deploy.cli", *arguments, str(self.folder)]
        done = subprocess.run(command, cwd=REPO, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def docker(self, *arguments: str) -> str:
        command = ["docker", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout.strip()

    def compose(self, *arguments: str) -> str:
        return self.docker("compose", "--project-name", self.name, *arguments)

    def start(self) -> str:
        printed = self.parley("up").stdout
        self.ca.write_text(self.compose("exec", "-T", "nginx", "cat", "/etc/nginx/tls/fullchain.pem"))
        return printed

    def remove(self) -> None:
        command = [sys.executable, "-m", "deploy.cli", "down", "--delete-data", str(self.folder)]
        subprocess.run(command, cwd=REPO, env=self.environment, input="delete\n", text=True, check=False)
        images = [f"{self.name}:local", f"{self.name}-nginx:local"]
        subprocess.run(["docker", "rmi", "--force", *images], capture_output=True, check=False)

    def run_suite(self) -> subprocess.CompletedProcess[str]:
        """Run the guest's part of tests/guests against the site."""
        tool = f"cd '{REPO}' && '{sys.executable}' -m deploy.cli"
        variables = {
            "PARLEY_GUEST": self.guest,
            "PARLEY_BASE_URL": f"https://localhost:{self.https_port}",
            "PARLEY_HTTP_URL": f"http://localhost:{self.http_port}",
            "PARLEY_CA": str(self.ca),
            "PARLEY_TRAITS": "nginx",
            "PARLEY_GUEST_STOP": f"{tool} down '{self.folder}'",
            "PARLEY_GUEST_START": f"{tool} up '{self.folder}'",
        }
        files = [str(GUESTS / file) for file in SUITES[self.guest]]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-q", "-rfEs", "-p", "no:cacheprovider", *files],
            cwd=REPO,
            env={**os.environ, **self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=SUITE_TIMEOUT_SECONDS,
            check=False,
        )


@pytest.fixture(scope="module", params=CHOSEN)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    engine = shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False)
    if not engine or engine.returncode:
        pytest.skip("no Docker engine answers here")
    running = Project(request.param, tmp_path_factory.mktemp(request.param))
    try:
        running.printed = running.start()
        yield running
    finally:
        running.remove()


def test_up_prints_the_address_and_what_a_handshake_got(project: Project) -> None:
    assert f"{project.name} is running at https://localhost:{project.https_port}/" in project.printed
    assert "a WebSocket handshake with /" in project.printed


def test_the_guests_suite_passes(project: Project) -> None:
    done = project.run_suite()
    assert done.returncode == 0, done.stdout[-8000:]
    assert " skipped" not in done.stdout
    assert " passed" in done.stdout


def test_a_port_of_the_manifest_serves_the_same_site(project: Project) -> None:
    tls = ssl.create_default_context(cafile=str(project.ca))
    for port in (project.https_port, project.third_port):
        answer = httpx.get(f"https://localhost:{port}/livez", verify=tls)
        assert answer.status_code == 200, port


def test_no_process_is_root_or_can_write_to_its_image(project: Project) -> None:
    for service in project.compose("ps", "--services").split():
        identity = project.compose("exec", "-T", service, "id", "-u")
        assert int(identity) > 0, service
        refused = project.compose("exec", "-T", service, "sh", "-c", "touch /usr/it /opt/it 2>&1 || true")
        assert refused.count("Read-only") == 2, service


def test_the_projects_secrets_are_files_of_the_application_alone(project: Project) -> None:
    inspected = project.docker("inspect", *project.compose("ps", "--all", "--quiet").split())
    for service, names in (("web", {"SECRET_KEY", "DATABASE_URL"}), ("nginx", set())):
        found = project.compose("exec", "-T", service, "sh", "-c", "ls /run/secrets 2>/dev/null || true").split()
        assert set(found) - {"GALLERY_TOKEN"} == names, service
    key = project.compose("exec", "-T", "web", "cat", "/run/secrets/SECRET_KEY")
    assert len(key) >= 40
    assert key not in inspected
    assert TOKEN.partition(",")[0] not in inspected


def test_release_commands_and_timers_run_with_variables_and_secrets(project: Project) -> None:
    if project.guest != "gallery":
        assert "timers" not in project.compose("ps", "--services").split()
        return
    printed = project.compose("exec", "-T", "web", "cat", "/made/media/release.txt").splitlines()
    assert "GALLERY_PRICE=$5 and ${HOME}" in printed
    assert f"GALLERY_TOKEN={TOKEN}" in printed
    assert project.compose("exec", "-T", "web", "cat", "/made/media/tick.txt") == TOKEN
    # The secret is kept: another `up` does not need it.
    del project.environment["GALLERY_TOKEN"]
    project.parley("up")


def test_a_port_that_is_in_use_is_named(project: Project, tmp_path: Path) -> None:
    if project.guest != "tutorial":
        return
    other = Project("tutorial", tmp_path)
    other.environment["HTTPS_PORT"] = str(project.https_port)
    refused = other.parley("up", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"parley: port {project.https_port} is in use by ")
    assert refused.stderr.endswith("; set HTTPS_PORT to another.\n")


def test_a_build_command_that_fails_is_named_and_the_site_stays(project: Project, tmp_path: Path) -> None:
    if project.guest != "tutorial":
        return
    broken = Project("tutorial", tmp_path, project.name)
    broken.environment |= {name: project.environment[name] for name in ("HTTPS_PORT", "HTTP_PORT")}
    before = project.compose("ps", "--quiet")
    with (broken.folder / "stack.toml").open("a") as file:
        file.write('\nbuild = ["echo the reason; exit 3"]\n')
    refused = broken.parley("up", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"parley: cannot build the image of {broken.name}")
    assert "the reason" in refused.stderr
    assert "failed: echo the reason; exit 3" in refused.stderr
    assert project.compose("ps", "--quiet") == before  # the site runs as it did
