"""Each project has a state folder of its own, also when another one has the same name."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.cli.app import load_app
from deploy.containers.site import open_containers
from deploy.local.state_folder import RECORD_NAME, claim_state_folder, find_state_folder
from deploy.manifest import Manifest

TUTORIAL = Path(__file__).resolve().parent.parent / "guests" / "tutorial"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def states(tmp_path: Path) -> Path:
    return tmp_path / "state" / "parley"


def make_project(folder: Path, name: str = "mysite") -> Manifest:
    folder.mkdir(parents=True, exist_ok=True)
    return Manifest(name=name, folder=folder)


def test_two_projects_of_one_name_have_two_folders(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    alice, bob = make_project(tmp_path / "alice" / "mysite"), make_project(tmp_path / "bob" / "mysite")
    first, second = claim_state_folder(alice, env), claim_state_folder(bob, env)
    assert first.path == states / "mysite"
    assert not first.note
    assert second.path.parent == states
    assert second.path.name.startswith("mysite-")
    assert second.note == (
        f"the state folder {states}/mysite belongs to {tmp_path}/alice/mysite; this project has {second.path}"
    )
    assert claim_state_folder(alice, env) == first
    assert claim_state_folder(bob, env) == second  # the hash is the same at every start
    assert json.loads((second.path / RECORD_NAME).read_text())["source"] == f"{tmp_path}/bob/mysite"


def test_two_projects_of_one_name_have_two_databases_in_containers(tmp_path: Path, env: dict[str, str]) -> None:
    projects = [make_project(tmp_path / owner / "mysite") for owner in ("alice", "bob")]
    first, second = (open_containers(project, env) for project in projects)
    assert first.compose_project == first.engine.project == "mysite"
    assert second.compose_project == second.engine.project == second.context.folder.parent.name != "mysite"


def test_finding_a_folder_writes_nothing(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    assert find_state_folder(make_project(tmp_path / "mysite"), env).path == states / "mysite"
    assert not states.exists()


def test_a_folder_of_an_earlier_version_belongs_to_the_first_project(
    tmp_path: Path, env: dict[str, str], states: Path
) -> None:
    database = states / "mysite" / "var" / "database.sqlite3"
    database.parent.mkdir(parents=True)
    database.write_text("messages")
    alice, bob = make_project(tmp_path / "alice" / "mysite"), make_project(tmp_path / "bob" / "mysite")
    assert claim_state_folder(alice, env).path == states / "mysite"
    assert claim_state_folder(bob, env).path != states / "mysite"
    assert database.read_text() == "messages"


def test_a_moved_folder_keeps_its_state(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    moved = make_project(tmp_path / "mysite")
    claim_state_folder(moved, env)
    moved.folder.rename(tmp_path / "site-of-alice")
    after = claim_state_folder(make_project(tmp_path / "site-of-alice"), env)
    assert after.path == states / "mysite"
    assert json.loads((after.path / RECORD_NAME).read_text())["source"] == f"{tmp_path}/site-of-alice"
    # The former place is free for another project.
    assert claim_state_folder(make_project(tmp_path / "mysite"), env).path != states / "mysite"


def test_a_renamed_folder_whose_name_is_that_of_the_project_keeps_its_state(
    tmp_path: Path, env: dict[str, str], states: Path
) -> None:
    before = make_project(tmp_path / "mysite")
    claim_state_folder(before, env)
    before.folder.rename(tmp_path / "yoursite")
    renamed = make_project(tmp_path / "yoursite", name="yoursite")
    assert claim_state_folder(renamed, env).path == find_state_folder(renamed, env).path == states / "mysite"


def test_a_moved_project_with_a_hash_shares_it_with_no_successor(tmp_path: Path, env: dict[str, str]) -> None:
    claim_state_folder(make_project(tmp_path / "alice"), env)
    second = make_project(tmp_path / "bob")
    hashed = claim_state_folder(second, env).path
    second.folder.rename(tmp_path / "carol")
    assert claim_state_folder(make_project(tmp_path / "carol"), env).path == hashed
    assert claim_state_folder(make_project(tmp_path / "bob"), env).path != hashed


def test_a_copy_is_another_source(tmp_path: Path, env: dict[str, str]) -> None:
    original = make_project(tmp_path / "mysite")
    first = claim_state_folder(original, env).path
    shutil.copytree(original.folder, tmp_path / "copy")
    assert claim_state_folder(make_project(tmp_path / "copy"), env).path != first


def test_another_name_in_the_same_place_is_another_project(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    claim_state_folder(make_project(tmp_path / "site"), env)
    other = claim_state_folder(make_project(tmp_path / "site", name="tides"), env)
    assert other.path == states / "tides"


def test_what_is_built_for_hosts_is_apart(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    project = make_project(tmp_path / "mysite")
    assert claim_state_folder(project, env).path == states / "mysite"
    assert claim_state_folder(project, env, purpose="host").path == states / "mysite-host"
    assert claim_state_folder(make_project(tmp_path / "b", name="mysite-host"), env).path != states / "mysite-host"


def test_a_folder_whose_record_cannot_be_read_is_not_taken(tmp_path: Path, env: dict[str, str], states: Path) -> None:
    (states / "mysite").mkdir(parents=True)
    (states / "mysite" / RECORD_NAME).write_text('{"name": "mysi')
    assert claim_state_folder(make_project(tmp_path / "mysite"), env).path != states / "mysite"


# --- git


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Alice", "-c", "user.email=alice@example.org")
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "tutorial"
    shutil.copytree(TUTORIAL, folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_two_commits_of_a_git_address_are_one_source(repository: Path, env: dict[str, str]) -> None:
    first = load_app(f"file://{repository}@{git(repository, 'rev-parse', 'HEAD')}")
    git(repository, "commit", "-qm", "second", "--allow-empty")
    second = load_app(f"file://{repository}")
    assert first.folder != second.folder
    folder = claim_state_folder(first, env)
    assert claim_state_folder(second, env) == folder
    # The clone beside it is a project of its own.
    assert claim_state_folder(load_app(str(repository)), env).path != folder.path


def test_the_record_has_no_password_of_a_git_address(env: dict[str, str], tmp_path: Path) -> None:
    spellings = ("https://alice:secret@git.example.org/mysite.git", "https://git.example.org/mysite/")
    found = {
        claim_state_folder(Manifest(name="mysite", folder=tmp_path, address=address), env).path for address in spellings
    }
    assert len(found) == 1
    assert json.loads((found.pop() / RECORD_NAME).read_text())["source"] == "https://git.example.org/mysite"
