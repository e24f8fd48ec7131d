"""A project comes from a folder, a commit or an archive; its copy is clean, and the original is never written to."""

import io
import os
import socket
import sqlite3
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.manifest import Manifest
from deploy.source import WrongSource, copy_source, newest_commit, open_address


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "mysite"
    write(folder, "manage.py", "#!/usr/bin/env python\n")
    (folder / "manage.py").chmod(0o755)
    write(folder, "chat/views.py", "VIEWS = 1\n")
    return folder


@pytest.fixture
def manifest(project: Path) -> Manifest:
    return Manifest(name="mysite", folder=project)


def write(folder: Path, name: str, text: str = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_the_copy_has_the_files_with_their_times_and_modes(project: Path, manifest: Manifest, tmp_path: Path) -> None:
    os.utime(project / "chat/views.py", ns=(1, 1_000_000_123))
    copy = copy_source(manifest, tmp_path / "copy")
    assert tree(tmp_path / "copy") == tree(project)
    assert (tmp_path / "copy/chat/views.py").stat().st_mtime_ns == 1_000_000_123
    assert os.access(tmp_path / "copy/manage.py", os.X_OK)
    assert (copy.files, copy.changed, copy.removed) == (2, 2, 0)


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        "node_modules/vue/index.js",
        "chat/__pycache__/views.cpython-311.pyc",
        "chat/old.pyc",
        ".venv/pyvenv.cfg",
        "my-environment/pyvenv.cfg",
        "env/bin/activate",
        "env/Scripts/activate.bat",
        ".idea/workspace.xml",
        ".mypy_cache/x.json",
        "chat/.views.py.swp",
        ".DS_Store",
    ],
)
def test_what_is_no_part_of_the_project_stays_behind(
    name: str, project: Path, manifest: Manifest, tmp_path: Path
) -> None:
    write(project, name)
    copy_source(manifest, tmp_path / "copy")
    assert tree(tmp_path / "copy").keys() == {"manage.py", "chat/views.py"}


def test_databases_of_sqlite_stay_behind_and_are_named(project: Path, manifest: Manifest, tmp_path: Path) -> None:
    sqlite3.connect(project / "db.sqlite3").execute("CREATE TABLE t (x)").connection.close()
    write(project, "db.sqlite3-wal")
    write(project, "words.db", "not a database")
    copy = copy_source(manifest, tmp_path / "copy")
    assert copy.databases == ("db.sqlite3", "db.sqlite3-wal")
    assert (tmp_path / "copy/words.db").exists()


def test_a_second_copy_writes_what_changed_alone(project: Path, manifest: Manifest, tmp_path: Path) -> None:
    copy_source(manifest, tmp_path / "copy")
    unchanged = (tmp_path / "copy/manage.py").stat()
    write(project, "chat/views.py", "VIEWS = 22\n")
    assert copy_source(manifest, tmp_path / "copy").changed == 1
    assert (tmp_path / "copy/chat/views.py").read_text() == "VIEWS = 22\n"
    assert (tmp_path / "copy/manage.py").stat().st_ino == unchanged.st_ino
    assert copy_source(manifest, tmp_path / "copy").changed == 0


def test_what_the_project_no_longer_has_is_removed_and_the_output_of_a_build_stays(
    project: Path, manifest: Manifest, tmp_path: Path
) -> None:
    write(project, "old/app.py")
    copy_source(manifest, tmp_path / "copy")
    write(tmp_path / "copy", "dist/bundle.js")
    (project / "old/app.py").unlink()
    (project / "old").rmdir()
    assert copy_source(manifest, tmp_path / "copy").removed == 1
    assert tree(tmp_path / "copy").keys() == {"manage.py", "chat/views.py", "dist/bundle.js"}
    assert not (tmp_path / "copy/old").exists()


def test_a_file_that_became_a_folder_is_replaced_and_the_other_way_round(
    project: Path, manifest: Manifest, tmp_path: Path
) -> None:
    write(project, "a")
    write(project, "b/c")
    copy_source(manifest, tmp_path / "copy")
    (project / "a").unlink()
    write(project, "a/new")
    (project / "b/c").unlink()
    (project / "b").rmdir()
    write(project, "b", "file")
    copy_source(manifest, tmp_path / "copy")
    assert tree(tmp_path / "copy") == tree(project)


def test_links_inside_of_the_project_are_kept_and_others_stay_behind(
    project: Path, manifest: Manifest, tmp_path: Path
) -> None:
    secret = write(tmp_path, "secret", "secret")
    (project / "inside.py").symlink_to("chat/views.py")
    (project / "absolute.py").symlink_to(project / "chat/views.py")
    (project / "outside").symlink_to(secret)
    (project / "folder").symlink_to(tmp_path)
    (project / "broken").symlink_to("nowhere")
    copy = copy_source(manifest, tmp_path / "copy")
    assert copy.outside_links == ("broken", "folder", "outside")
    assert os.readlink(tmp_path / "copy/absolute.py") == "chat/views.py"
    assert (tmp_path / "copy/inside.py").resolve() == tmp_path / "copy/chat/views.py"


def test_sockets_and_pipes_are_left_out(
    project: Path, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(project / "pipe")
    monkeypatch.chdir(project)  # the address of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        assert copy_source(manifest, tmp_path / "copy").files == 2


def test_the_original_is_never_written_to(project: Path, manifest: Manifest, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in [project, *project.rglob("*")]}
    copy_source(manifest, tmp_path / "copy")
    assert {path: path.stat().st_mtime_ns for path in [project, *project.rglob("*")]} == before
    with pytest.raises(WrongSource, match="which is never written to"):
        copy_source(manifest, project / "var")


# --- git


@pytest.fixture
def repository(project: Path) -> str:
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    return f"file://{project}"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Alice", "-c", "user.email=alice@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_commit_is_fetched_once_and_copied_without_history(
    repository: str, project: Path, manifest: Manifest, tmp_path: Path
) -> None:
    first = git(project, "rev-parse", "HEAD")
    write(project, "chat/views.py", "VIEWS = 2\n")
    git(project, "commit", "-qam", "second")
    pinned = replace(manifest, source=f"{repository}@{first}")
    copy_source(pinned, tmp_path / "copy")
    assert tree(tmp_path / "copy") == {"manage.py": b"#!/usr/bin/env python\n", "chat/views.py": b"VIEWS = 1\n"}
    (project / ".git").rename(project / "gone")
    assert copy_source(pinned, tmp_path / "copy").changed == 0


def test_the_newest_commit_is_that_of_the_default_branch(repository: str, project: Path) -> None:
    assert newest_commit(repository) == git(project, "rev-parse", "HEAD")


def test_a_commit_that_the_repository_lacks_is_named(repository: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSource, match=f"has no commit {'a' * 40}"):
        open_address(f"{repository}@{'a' * 40}", tmp_path)
    assert list((tmp_path / "cache/parley/git").iterdir()) == []


def test_a_repository_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        WrongSource, match=r"cannot fetch from file:///nowhere: .*does not appear to be a git repository"
    ):
        open_address(f"file:///nowhere@{'a' * 40}", tmp_path)


def test_a_missing_git_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WrongSource, match="git is not installed: apt install git"):
        open_address(f"file:///nowhere@{'a' * 40}", tmp_path)


# --- archives


def make_tar(path: Path, entries: dict[str, str], link: tuple[str, str] | None = None) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo(link[0])
            member.type, member.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(member)


def make_zip(path: Path, entries: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, text in entries.items():
            zipped.writestr(name, text)


@pytest.mark.parametrize(("name", "make"), [("mysite.tar.gz", make_tar), ("mysite.zip", make_zip)])
def test_the_single_folder_of_an_archive_is_the_project(name: str, make: object, tmp_path: Path) -> None:
    make(tmp_path / name, {"mysite-1.0/manage.py": "x", "mysite-1.0/chat/views.py": "y"})  # type: ignore[operator]
    assert tree(open_address(name, tmp_path)) == {"manage.py": b"x", "chat/views.py": b"y"}


@pytest.mark.parametrize(("name", "make"), [("mysite.tar.gz", make_tar), ("mysite.zip", make_zip)])
@pytest.mark.parametrize("entry", ["../evil.py", "/etc/evil.py", "a/../../evil.py"])
def test_an_entry_that_leads_out_of_the_archive_is_refused(name: str, make: object, entry: str, tmp_path: Path) -> None:
    make(tmp_path / name, {"manage.py": "x", entry: "y"})  # type: ignore[operator]
    with pytest.raises(WrongSource, match="leads out of the archive"):
        open_address(name, tmp_path)
    assert not list(tmp_path.rglob("evil.py"))


def test_a_link_that_leads_out_of_the_archive_is_refused(tmp_path: Path) -> None:
    make_tar(tmp_path / "mysite.tar.gz", {"manage.py": "x"}, link=("settings.py", "../../../etc/passwd"))
    with pytest.raises(WrongSource, match="leads out of the archive"):
        open_address("mysite.tar.gz", tmp_path)


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    write(tmp_path, "mysite.zip", "not a zip")
    with pytest.raises(WrongSource, match=r"mysite\.zip cannot be unpacked"):
        open_address("mysite.zip", tmp_path)
    write(tmp_path, "mysite.rar")
    with pytest.raises(WrongSource, match="neither a folder nor an archive"):
        open_address("mysite.rar", tmp_path)
    with pytest.raises(WrongSource, match="there is no"):
        open_address("nothing", tmp_path)
