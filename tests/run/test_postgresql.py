"""`parley run` starts a PostgreSQL of its own for a project that works with no other database."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from deploy.local import postgresql
from deploy.local.guest import cluster_of
from deploy.local.layout import Layout
from deploy.local.postgresql import Cluster, ClusterFailed, find_installations, stop
from deploy.manifest import Manifest
from tests import postgres

LAYOUT = Layout(var=Path("/state/var"), env_file=Path("/state/.env"), https_port=8443, http_port=8080)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    assert postgres.newest_installation()  # this module needs PostgreSQL
    folder = tmp_path / "postgresql"
    return Cluster(folder, log=folder / "postgresql.log")


def query(cluster: Cluster, statement: str) -> str:
    """Run a statement as a process of the site does: by the address of the database."""
    psql = str(find_installations()[-1] / "psql")
    address = cluster.url.replace(f"@/{cluster.folder}/", "@/").replace("postgres://", "postgresql://")
    command = [psql, "-At", "-c", statement, f"{address}?host={cluster.folder}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_data_of_a_cluster_outlive_its_server(cluster: Cluster) -> None:
    server = cluster.start()
    try:
        query(cluster, "CREATE TABLE message (body text); INSERT INTO message VALUES ('hello')")
    finally:
        stop(server)
    server = cluster.start()
    try:
        assert query(cluster, "SELECT body FROM message") == "hello"
    finally:
        stop(server)
    assert server.returncode == 0


def test_a_cluster_that_was_killed_starts_again(cluster: Cluster) -> None:
    server = cluster.start()
    query(cluster, "CREATE TABLE message (body text); INSERT INTO message VALUES ('hello')")
    server.kill()
    server.wait()
    server = cluster.start()
    try:
        assert query(cluster, "SELECT body FROM message") == "hello"
    finally:
        stop(server)


def test_the_site_may_create_the_extensions_of_its_migrations(cluster: Cluster) -> None:
    server = cluster.start()
    try:
        query(cluster, "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm")
    finally:
        stop(server)


def test_nobody_else_can_reach_it(cluster: Cluster) -> None:
    server = cluster.start()
    try:
        assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
        assert query(cluster, "SHOW listen_addresses") == ""
        owner = "postgres" if os.geteuid() == 0 else cluster.folder.owner()
        assert query(cluster, "SELECT 1") == "1"
        assert Path(f"/proc/{server.pid}").owner() == owner
    finally:
        stop(server)


def test_what_an_interrupted_start_left_is_made_anew(cluster: Cluster) -> None:
    (cluster.folder / "data.new").mkdir(parents=True)
    (cluster.folder / "data.new" / "PG_VERSION").write_text("1\n")
    stop(cluster.start())
    assert (cluster.data / "PG_VERSION").read_text() != "1\n"
    assert not (cluster.folder / "data.new").exists()


def test_data_of_a_version_that_is_not_installed_are_named(cluster: Cluster) -> None:
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("9\n")
    problems = cluster.check()
    assert len(problems) == 1
    assert "was made by PostgreSQL 9, which is not installed" in problems[0]
    assert problems[0].endswith("apt-get install -y postgresql-9")
    with pytest.raises(ClusterFailed, match="PostgreSQL 9"):
        cluster.start()


def test_a_machine_without_postgresql_gets_one_line(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgresql, "INSTALLATIONS", tmp_path)
    assert cluster.check() == [
        "not installed: postgresql, which this project needs. Type: sudo apt-get install -y postgresql"
    ]


@pytest.mark.parametrize("needs_postgresql", [False, True])
def test_a_run_has_a_cluster_if_its_project_needs_one(needs_postgresql: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    manifest = Manifest(name="mysite", folder=Path(), needs_postgresql=needs_postgresql)
    found = cluster_of(manifest, LAYOUT)
    assert (found.folder if found else None) == (Path("/state/var/postgresql") if needs_postgresql else None)


def test_a_database_of_the_caller_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/mine")
    assert cluster_of(Manifest(name="mysite", folder=Path(), needs_postgresql=True), LAYOUT) is None
