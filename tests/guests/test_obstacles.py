"""`parley adopt` names what each guest plants, with file and line, and finds nothing in the tutorial."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import REPO
from tests.guests.guests import GUESTS

PLANTED = {
    name: [(entry["cause"], entry["place"]) for entry in tomllib.loads(file.read_text())["obstacles"]]
    for name, guest in GUESTS.items()
    if (file := guest.folder / "obstacles.toml")
}


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adopted")


def adopt(name: str, scratch: Path) -> dict[str, Any]:
    """Return the report on a guest as its author has it, without the files of this suite."""
    copy = scratch / name
    if not copy.exists():
        shutil.copytree(GUESTS[name].folder, copy, ignore=shutil.ignore_patterns("stack.toml", "obstacles.toml"))
    command = [sys.executable, "-m", "deploy.adopt", "--json", "--dry-run", str(copy)]
    ended = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


@pytest.mark.parametrize("name", [name for name, planted in PLANTED.items() if planted])
def test_each_planted_obstacle_is_named_with_its_place(name: str, scratch: Path) -> None:
    found = {
        (finding["cause"], f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"])
        for finding in adopt(name, scratch)["findings"]
    }
    assert [obstacle for obstacle in PLANTED[name] if obstacle not in found] == []


def test_nothing_stands_in_the_way_of_the_tutorial(scratch: Path) -> None:
    assert PLANTED["tutorial"] == []
    report = adopt("tutorial", scratch)
    assert report["obstacles"] == 0
    assert {finding["severity"] for finding in report["findings"]} <= {"set", "mended"}


@pytest.mark.parametrize("name", GUESTS)
def test_nothing_is_left_to_do_with_the_manifest(name: str) -> None:
    # Offline: the index would only be asked about versions, which the first test does.
    command = [sys.executable, "-m", "deploy.adopt", "--json", "--dry-run", "--offline", str(GUESTS[name].folder)]
    ended = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    assert json.loads(ended.stdout)["obstacles"] == 0


def test_every_project_is_in_the_suite() -> None:
    folder = next(iter(GUESTS.values())).folder.parent
    assert {manifest.parent.name for manifest in folder.glob("*/stack.toml")} == GUESTS.keys()
