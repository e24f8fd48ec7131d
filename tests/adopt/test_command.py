"""The command writes stack.toml where none exists and nothing else, prints text or JSON, and has exit codes."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema_rs
import pytest

from deploy.adopt.text_report import TextStyle, draw_report
from deploy.manifest import read_manifest
from tests.adopt.projects import examine, write_project

REPO = Path(__file__).parents[2]
SCHEMA = json.loads((REPO / "deploy/adopt/report.schema.json").read_text())
NODE = {"nodejs/package.json": '{"dependencies": {"socket.io": "2"}}'}


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(REPO), "XDG_CACHE_HOME": str(cwd / "cache"), **variables}
    command = [sys.executable, "-m", "deploy.adopt", "--offline", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_a_manifest_that_can_be_read_and_nothing_else(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "My_Site")
    before = files_of(folder)
    ended = run(str(folder), cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    after = files_of(folder)
    assert after.keys() - before.keys() == {folder / "stack.toml"}
    assert all(after[path] == content for path, content in before.items())
    assert read_manifest(folder).name == "my-site"
    assert len((folder / "stack.toml").read_text().splitlines()) <= 10


def test_a_manifest_that_exists_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "mysite", {"stack.toml": 'name = "other"\n'})
    assert run(str(folder), cwd=tmp_path).returncode == 0
    assert read_manifest(folder).name == "other"
    assert run("--force", str(folder), cwd=tmp_path).returncode == 0
    assert read_manifest(folder).name == "mysite"


def test_a_dry_run_prints_the_manifest_instead(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "mysite")
    ended = run("--dry-run", str(folder), cwd=tmp_path)
    assert 'name = "mysite"' in ended.stdout
    assert not (folder / "stack.toml").exists()


def test_the_project_in_the_current_folder_needs_no_argument(tmp_path: Path) -> None:
    assert run(cwd=write_project(tmp_path / "mysite")).returncode == 0


def test_an_obstacle_for_the_owner_ends_with_1(tmp_path: Path) -> None:
    ended = run(str(write_project(tmp_path / "mysite", NODE)), cwd=tmp_path)
    assert ended.returncode == 1
    assert "1 obstacle for you to settle" in ended.stdout


def test_a_field_that_an_existing_manifest_lacks_is_an_obstacle(tmp_path: Path) -> None:
    files = {"chat/static/chat.js": "s = new WebSocket('wss://' + location.hostname + ':8001/');\n"}
    folder = write_project(tmp_path / "mysite", {**files, "stack.toml": 'name = "mysite"\n'})
    ended = run(str(folder), cwd=tmp_path)
    assert ended.returncode == 1
    assert "ports = [8001]" in ended.stdout
    (folder / "stack.toml").write_text('name = "mysite"\nports = [8001]\n')
    assert run(str(folder), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--colour"], 64, "unrecognized arguments: --colour"),
        (["empty"], 65, "There is no manage.py in"),
        (["wrong"], 65, "stack.toml:1: name is missing"),
        (["nowhere"], 66, "there is no"),
        (["file:///nowhere"], 66, "cannot fetch from file:///nowhere"),
    ],
)
def test_what_cannot_be_adopted_gets_one_line(arguments: list[str], code: int, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_project(tmp_path / "wrong", {"stack.toml": "# nothing\n"})
    ended = run(*arguments, cwd=tmp_path)
    assert ended.returncode == code
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_two_projects_in_one_folder_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    write_project(folder / "first")
    write_project(folder / "second")
    ended = run(str(folder), cwd=tmp_path)
    assert ended.returncode == 65
    assert "2 folders have a manage.py: first, second; name one of these folders instead" in ended.stderr


def test_the_manifest_of_an_archive_goes_to_the_current_folder(tmp_path: Path) -> None:
    write_project(tmp_path / "mysite")
    with tarfile.open(tmp_path / "mysite-1.0.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "mysite", "mysite-1.0")
    here = tmp_path / "here"
    here.mkdir()
    assert run("../mysite-1.0.tar.gz", cwd=here).returncode == 0
    manifest = read_manifest(here)
    assert (manifest.name, manifest.source) == ("mysite-1-0", str(tmp_path / "mysite-1.0.tar.gz"))


def test_the_manifest_of_a_repository_names_the_commit(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "mysite")
    git = ["git", "-C", str(folder), "-c", "user.name=Alice", "-c", "user.email=alice@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    here = tmp_path / "here"
    here.mkdir()
    ended = run(f"file://{folder}", cwd=here)
    assert ended.returncode == 0, ended.stderr
    assert read_manifest(here).source == f"file://{folder}@{commit}"
    assert not (folder / "stack.toml").exists()


@pytest.mark.parametrize("files", [{}, NODE, {"chat/views.py": "import markdown\nimport requests\n"}])
def test_json_has_the_documented_shape(files: dict[str, str], tmp_path: Path) -> None:
    ended = run("--json", "--dry-run", str(write_project(tmp_path / "mysite", files)), cwd=tmp_path)
    report = json.loads(ended.stdout)
    jsonschema_rs.validate(SCHEMA, report)
    assert report["exit_code"] == ended.returncode


def test_colour_is_for_terminals_alone(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "mysite")
    assert "\033" not in run("--dry-run", str(folder), cwd=tmp_path).stdout
    report = examine(folder)
    assert "\033" in draw_report(report, TextStyle(has_colour=True))
    assert "\033" not in draw_report(report, TextStyle(has_colour=False))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_text_fits_the_terminal(width: int, tmp_path: Path) -> None:
    files = {**NODE, "chat/views.py": f"import markdown  # {'long ' * 40}\n"}
    report = examine(write_project(tmp_path / "mysite", files))
    body = draw_report(report, TextStyle(has_colour=False, width=width)).split("stack.toml (not written)")[0]
    assert max(len(line) for line in body.splitlines() if str(tmp_path) not in line) <= max(60, min(width, 100)) + 1


def test_many_places_of_one_cause_are_cut_and_can_be_shown(tmp_path: Path) -> None:
    script = "s = new WebSocket('ws://' + location.host);\n" * 12
    report = examine(write_project(tmp_path / "mysite", {"chat/static/chat.js": script}))
    assert "more: --all shows them" in draw_report(report, TextStyle(has_colour=False))
    assert "chat/static/chat.js:12" in draw_report(report, TextStyle(has_colour=False, shows_all=True))
