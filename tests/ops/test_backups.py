"""deploy/backup and deploy/restore: what they store, and what they report when they fail."""

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.ops.conftest import operator, settings_for
from tests.postgres import Postgres


@pytest.fixture
def place(tmp_path: Path):
    """A site on SQLite with its tables, and a folder for backups."""
    database = tmp_path / "parley.sqlite3"
    environment = settings_for(f"sqlite:///{database}")
    run = operator(environment)
    with closing(sqlite3.connect(database)) as made:
        made.execute("CREATE TABLE chat_epoch (id integer PRIMARY KEY, value char(32))")
    folder = tmp_path / "backups"
    folder.mkdir()
    return run, folder, database


def test_the_newest_backups_are_kept_and_other_files_are_left_alone(place):
    run, folder, _ = place
    old = [folder / f"parley-202501{day:02}T000000Z.dump" for day in range(1, 21)]
    for file in (*old, folder / "mine.txt", folder / ".parley-20250101T000000Z.dump.part"):
        file.write_text("x")
    done = run("backup", folder)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in folder.iterdir())
    made = next(name for name in names if name not in {file.name for file in old} and name.startswith("parley-"))
    assert names == ["mine.txt", *sorted([*(file.name for file in old[-13:]), made])]
    assert made in done.stdout
    assert (folder / made).stat().st_mode & 0o777 == 0o600

    assert run("backup", folder, "--keep", "2").returncode == 0
    assert len(list(folder.glob("parley-*"))) == 2
    assert run("backup", folder, "--keep", "0").stderr == "CommandError: --keep must be 1 or more.\n"


def test_a_backup_that_cannot_be_read_back_is_not_kept(place):
    run, folder, database = place
    with closing(sqlite3.connect(database)) as made:
        made.executemany("INSERT INTO chat_epoch VALUES (?, 'x')", [(number,) for number in range(5000)])
        made.commit()
    broken = bytearray(database.read_bytes())
    broken[8192:12288] = b"\xff" * 4096
    database.write_bytes(broken)
    done = run("backup", folder)
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: No backup was made. ")
    assert list(folder.iterdir()) == []


def test_two_backups_cannot_run_at_once(place):
    run, folder, _ = place
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    done = run("backup", folder)
    os.close(handle)
    assert done.stderr == f"CommandError: No backup was made. Another backup into {folder} is running.\n"
    assert run("backup", folder).returncode == 0


def test_an_absent_folder_is_named(place):
    run, folder, _ = place
    assert f"{folder}/absent is no folder" in run("backup", folder / "absent").stderr


def refused(run, file: Path) -> str:
    done = run("restore", file, "--noinput")
    assert done.returncode == 1
    reason: str = done.stderr.removeprefix("CommandError: Nothing was changed. ")
    assert reason != done.stderr
    return reason


def test_a_file_that_is_no_backup_of_this_site_is_refused(place, tmp_path):
    run, _, database = place
    before = database.read_bytes()
    assert "cannot be read: No such file" in refused(run, tmp_path / "absent")
    (tmp_path / "text").write_text("hello")
    assert "is no backup: it begins with b'hello'" in refused(run, tmp_path / "text")
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE cats (name)")
    assert "has no table chat_epoch" in refused(run, tmp_path / "other")
    (tmp_path / "foreign").write_bytes(b"PGDMP and so on")
    assert "is a backup of postgresql, and DATABASE_URL is sqlite" in refused(run, tmp_path / "foreign")
    assert database.read_bytes() == before


def test_without_a_terminal_nothing_is_restored(place):
    run, folder, _ = place
    run("backup", folder)
    (file,) = folder.iterdir()
    done = run("restore", file)
    assert done.returncode == 1
    assert "use --noinput" in done.stderr


@pytest.fixture
def postgres_url(postgres: Postgres, request: pytest.FixtureRequest) -> str:
    return postgres.url(f"{request.node.name[:40]}")


def test_a_missing_tool_is_named_with_its_package(postgres_url, tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    for program in ("sh", "dirname", "readlink"):
        (bare / program).symlink_to(shutil.which(program) or "")
    done = operator(settings_for(postgres_url, PATH=str(bare)))("backup", tmp_path)
    assert "pg_dump is not installed: it comes with the package postgresql-client" in done.stderr


def test_a_database_server_that_is_away_is_reported(tmp_path):
    done = operator(settings_for(f"postgres://parley@/{tmp_path}/parley"))("backup", tmp_path)
    assert done.returncode == 1
    assert "No backup was made. pg_dump: " in done.stderr
    assert list(tmp_path.iterdir()) == []
