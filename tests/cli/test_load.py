"""`parley load`: a load test of a project's sockets, with what its manifest says of them."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loadtest.command import SECONDS
from tests.loadtest.faulty_project import COOKIE, ORIGIN, PATH, SUBPROTOCOL, FaultyProject
from tests.running import REPO

TUTORIAL = REPO / "tests" / "guests" / "tutorial"
MANIFEST = f"""\
name = "feed"

[doctor]
subprotocol = "{SUBPROTOCOL}"
origin = "{ORIGIN}"
cookie = "{COOKIE}"

[load]
path = "{PATH}"
message = '{{"say": "{{text}}"}}'
"""


def command(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command `parley load FOLDER`, and its environment: results and state are beside the folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "LOAD_", "PYTEST"))}
    state = {"XDG_STATE_HOME": str(folder.parent / "state"), "LOAD_UNPINNED": "1", "LOAD_MAX_LAG_MS": "10000"}
    return [sys.executable, "-m", "deploy.cli", "load", str(folder), *arguments], clean | state


def load(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line, environment = command(folder, *arguments)
    return subprocess.run(line, cwd=REPO, env=environment, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A project's folder, for a site that is running elsewhere."""
    folder = tmp_path / "feed"
    folder.mkdir()
    (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")\n')
    (folder / "feed").mkdir()
    (folder / "feed" / "settings.py").write_text("INSTALLED_APPS = []\n")
    (folder / "stack.toml").write_text(MANIFEST)
    return folder


async def load_site(folder: Path, project: FaultyProject, *arguments: str) -> tuple[int, str, dict[str, int]]:
    """Run the command against a site of this test; return the exit code, what was printed, and the oracle's counts."""
    line, environment = command(folder, "--url", project.url, "--connections", "20", "--seconds", "2", *arguments)
    process = await asyncio.create_subprocess_exec(
        *line, cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(SECONDS):
        printed, _ = await process.communicate()
    assert process.returncode is not None
    (result,) = (folder.parent / "state").rglob("*-fanout.json")
    return process.returncode, printed.decode(), json.loads(result.read_text())["oracle"]


async def test_a_site_that_delivers_everything_passes_with_the_handshake_of_the_manifest(feed: Path) -> None:
    async with FaultyProject("none") as project:  # refuses any other path, subprotocol, origin or cookie
        code, printed, oracle = await load_site(feed, project)
    assert code == 0, printed
    assert oracle["deliveries"] == oracle["sent"] * 20 > 0
    assert "0 lost" in printed.splitlines()[-1]


async def test_a_site_that_drops_messages_fails_and_the_report_counts_them(feed: Path) -> None:
    async with FaultyProject("drop", every=50) as project:
        code, printed, oracle = await load_site(feed, project)
    assert code == 1, printed
    assert oracle["lost"] == project.made > 0
    assert f"{project.made} lost" in printed.splitlines()[-1]


def test_without_a_url_the_project_runs_for_the_test_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    shutil.copytree(TUTORIAL, folder)
    with (folder / "stack.toml").open("a") as manifest:
        manifest.write('[load]\npath = "/ws/chat/load/"\nmessage = \'{"message": "{text}"}\'\n')
    out = tmp_path / "results"
    done = load(folder, "--connections", "10", "--rate", "5", "--seconds", "2", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = out.glob("*.json")
    result = json.loads(file.read_text())
    assert result["oracle"]["deliveries"] == result["oracle"]["sent"] * 10 > 0
    assert set(result["server"]["cpu"]) == {"redis", "web", "ws1", "ws2", "nginx"}
    assert not (tmp_path / "state").exists(), "its own state folder is temporary"
    assert done.stdout.startswith("parley: starting tutorial for this test\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "chat.example.org"], "'chat.example.org' is not the address of a site"),
        (["--connections", "0"], "'0' is not a number of at least 1"),
        (["--rate", "fast"], "'fast' is not a number above 0"),
        (["--seconds", "-1"], "'-1' is not a number above 0"),
        (["--connections", "2", "--rate", "17"], "more than 8 messages a second for each of 2 connections"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_64(feed: Path, arguments: list[str], sentence: str) -> None:
    refused = load(feed, *arguments)
    assert refused.returncode == 64
    assert sentence in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_project_without_a_socket_is_told_which_field_names_it(feed: Path) -> None:
    (feed / "stack.toml").write_text('name = "feed"\n')
    refused = load(feed, "--url", "https://chat.example.org")
    assert refused.returncode == 1
    assert refused.stderr == "parley: no socket of feed is known: set path in [load] of stack.toml\n"


def test_a_project_that_does_not_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    shutil.copytree(TUTORIAL, folder)
    with (folder / "mysite" / "settings.py").open("a") as settings:
        settings.write('\nraise RuntimeError("these settings are broken")\n')
    refused = load(folder)
    assert refused.returncode == 1
    assert "tutorial did not start" in refused.stderr
    assert "these settings are broken" in refused.stderr
