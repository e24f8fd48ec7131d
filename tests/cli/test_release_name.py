"""The name of a release: the same for the same content, another one for any other."""

import subprocess
from pathlib import Path

import pytest

from deploy.manifest import Manifest
from deploy.release_name import make_release_name


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "mysite"
    folder.mkdir()
    (folder / "manage.py").write_text("print('manage')\n")
    (tmp_path / "requirements.txt").write_text("Django==5.2\n")
    return folder


def name_of(project: Path, **fields: str) -> str:
    manifest = Manifest(name="mysite", folder=project, **fields)  # type: ignore[arg-type]
    return make_release_name(manifest, project, project.parent / "requirements.txt")


def commit(project: Path) -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(project), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "Begin")
    return git("rev-parse", "--short", "HEAD")


def test_the_same_content_has_the_same_name(project: Path) -> None:
    assert name_of(project) == name_of(project)


def test_another_file_another_package_and_another_field_each_change_the_name(project: Path) -> None:
    names = {name_of(project), name_of(project, home="/chat/")}
    (project / "manage.py").write_text("print('manage more')\n")
    names.add(name_of(project))
    (project.parent / "requirements.txt").write_text("Django==5.2.1\n")
    names.add(name_of(project))
    (project / "manage.py").chmod(0o755)
    names.add(name_of(project))
    assert len(names) == 5


def test_a_commit_is_part_of_the_name_while_nothing_has_changed(project: Path) -> None:
    sha = commit(project)
    assert name_of(project).startswith(f"{sha}-")
    (project / "manage.py").write_text("print('changed')\n")
    assert sha not in name_of(project)
