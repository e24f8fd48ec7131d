"""A backup of a project has its database and its uploaded files; a restore brings back both, or changes nothing."""

import re
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from channels_stack import backups, uploads
from tests.site import tutorial
from tests.site.project import Project

ADD_PERSON = "from django.contrib.auth.models import User; User.objects.create_user('{}')"
NAMES = "sorted(User.objects.values_list('username', flat=True))"
IMPORT = "from django.contrib.auth.models import User"


@pytest.fixture
def project(make_project):
    made = make_project(tutorial.FILES)
    made.migrate()
    media = made.state / "media"
    (media / "avatars").mkdir(parents=True)
    (media / "avatars/alice.png").write_bytes(b"a picture")
    (made.state / "backups").mkdir()
    made.evaluate("0", ADD_PERSON.format("alice"))
    return made


def backup(project: Project, *options: str) -> list[Path]:
    """Make a backup and return its files."""
    done = project.run("-m", "channels_stack.backup", str(project.state / "backups"), *options)
    return [Path(line.split(" (")[0]) for line in done.stdout.splitlines()]


def media_of(project: Project) -> dict[str, bytes]:
    folder = project.state / "media"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_database_and_uploads_come_back(project):
    dump, archive = backup(project)
    assert re.fullmatch(r"mysite-\d{8}T\d{6}Z\.dump", dump.name)
    assert archive == backups.media_file(dump)
    assert {file.stat().st_mode & 0o777 for file in (dump, archive)} == {0o600}
    project.evaluate("0", ADD_PERSON.format("mallory"))
    (project.state / "media/avatars/alice.png").write_bytes(b"another picture")
    (project.state / "media/new.txt").write_bytes(b"new")

    done = project.run("-m", "channels_stack.restore", str(dump), "--noinput")
    assert done.stdout == f"Restored the database from {dump}, and the uploaded files.\n"
    assert project.evaluate(NAMES, IMPORT) == ["alice"]
    assert media_of(project) == {"avatars/alice.png": b"a picture"}
    assert not list((project.state / "media").glob(".*"))


def test_a_site_without_uploads_has_only_a_dump(project):
    project.describe(media_root="")
    (dump,) = backup(project)
    done = project.run("-m", "channels_stack.restore", str(dump), "--noinput")
    assert "without uploaded files" in done.stdout


def test_a_damaged_archive_changes_nothing(project):
    dump, archive = backup(project)
    project.evaluate("0", ADD_PERSON.format("mallory"))
    archive.write_bytes(archive.read_bytes()[:700])
    done = project.run("-m", "channels_stack.restore", str(dump), "--noinput", check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"Nothing was changed. {archive} is damaged: empty header.\n",
    )
    assert project.evaluate(NAMES, IMPORT) == ["alice", "mallory"]
    assert media_of(project) == {"avatars/alice.png": b"a picture"}


def test_a_dump_of_something_else_changes_nothing(project):
    _, archive = backup(project)
    other = project.state / "backups/mysite-20250101T000000Z.dump"
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE other (id integer)")
    backups.media_file(other).write_bytes(archive.read_bytes())
    done = project.run("-m", "channels_stack.restore", str(other), "--noinput", check=False)
    assert f"Nothing was changed. {other} has no table django_migrations" in done.stderr
    assert media_of(project) == {"avatars/alice.png": b"a picture"}
    assert not list((project.state / "media").glob(".*"))


def test_a_restore_asks_first(project):
    dump, _ = backup(project)
    done = project.run("-m", "channels_stack.restore", str(dump), check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "Nothing was changed. Without a terminal for the question, use --noinput.\n",
    )


def test_old_backups_are_deleted_with_their_archives_and_other_files_stay(project):
    folder = project.state / "backups"
    for name in ("mysite-20250101T000000Z", "mysite-20250102T000000Z"):
        (folder / f"{name}.dump").write_text("x")
        (folder / f"{name}.media.tar").write_text("x")
    (folder / "mysite-20240101T000000Z.media.tar").write_text("an archive without its dump")
    others = {"other-20250101T000000Z.dump", "notes.txt"}
    for name in others:
        (folder / name).write_text("x")
    new = {path.name for path in backup(project, "--keep", "2")}
    kept = {"mysite-20250102T000000Z.dump", "mysite-20250102T000000Z.media.tar"}
    assert {path.name for path in folder.iterdir()} == new | kept | others


# --- The archive


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "media"
    (made / "a/b").mkdir(parents=True)
    (made / "a/b/one.txt").write_text("1")
    (made / "empty").mkdir()
    return made


def archive_of(folder: Path, file: Path) -> Path:
    file.touch()
    uploads.archive(folder, file)
    return file


def test_an_unchanged_folder_takes_no_space_a_second_time(folder, tmp_path):
    first, second = archive_of(folder, tmp_path / "1.tar"), archive_of(folder, tmp_path / "2.tar")
    uploads.share_content(second, first)
    assert second.samefile(first)
    (folder / "a/b/one.txt").write_text("2")
    third = archive_of(folder, tmp_path / "3.tar")
    uploads.share_content(third, first)
    assert not third.samefile(first)


def test_links_are_left_out_and_empty_folders_are_kept(folder, tmp_path):
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "again.txt").hardlink_to(folder / "a/b/one.txt")
    file = archive_of(folder, tmp_path / "1.tar")
    assert uploads.verify(file) == 2
    target = tmp_path / "target"
    uploads.Replacement(file, target).complete()
    found = {str(path.relative_to(target)) for path in target.rglob("*")}
    assert found == {"a", "a/b", "a/b/one.txt", "again.txt", "empty"}
    assert (target / "again.txt").read_text() == "1"


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "a/../../outside.txt"])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, name):
    file = tmp_path / "1.tar"
    with tarfile.open(file, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(uploads.Failed, match="is no copy of uploaded files"):
        uploads.Replacement(file, tmp_path / "target")
    assert not (tmp_path / "outside.txt").exists()


def test_an_archive_with_a_link_is_refused(tmp_path):
    file = tmp_path / "1.tar"
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with tarfile.open(file, "w") as tar:
        tar.addfile(link)
    with pytest.raises(uploads.Failed, match="'link'"):
        uploads.verify(file)
