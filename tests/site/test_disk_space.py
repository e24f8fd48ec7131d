"""A disk that is nearly full is a warning, and a full one makes the site not ready, before its database fails."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client

from channels_stack import disk_space
from channels_stack.disk_space import MIB, measure_disks
from deploy.local.layout import REPO

GIB = 1024 * MIB


def numbers(free_mib: int, total_mib: int, free_inodes: int = 900, inodes: int = 1000) -> os.statvfs_result:
    """What statvfs() returns of a file system, of which root may use more than others."""
    return os.statvfs_result((4096, MIB, total_mib, free_mib + 500, free_mib, inodes, free_inodes, free_inodes, 0, 255))


@pytest.fixture
def have(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give every file system of the site these numbers."""

    def have(*arguments: int) -> None:
        disks = measure_disks(lambda _: numbers(*arguments))
        monkeypatch.setattr(disk_space, "measure_disks", lambda: disks)

    return have


@pytest.mark.parametrize(
    ("found", "is_low", "is_full"),
    [
        ((3000, 100_000), False, False),  # 3 %, but enough for days
        ((2000, 100_000), True, False),
        ((300, 2000), False, False),
        ((199, 2000), True, False),
        ((64, 20_000), True, False),
        ((63, 20_000), True, True),
        ((9, 100), True, False),
        ((49, 1000), True, True),  # three segments of PostgreSQL's log
        ((0, 100), True, True),
        ((3000, 100_000, 49, 1000), True, False),
        ((3000, 100_000, 4, 1000), True, True),
        ((3000, 100_000, 0, 0), False, False),  # btrfs
    ],
)
def test_what_is_low_and_what_is_full(found: tuple[int, ...], is_low: bool, is_full: bool) -> None:
    disk = measure_disks(lambda _: numbers(*found))[0]
    assert (disk.is_low, disk.is_full) == (is_low, is_full)


def test_each_file_system_is_measured_once() -> None:
    disks = measure_disks()
    devices = [disk.path.stat().st_dev for disk in disks]
    assert devices
    assert len(devices) == len(set(devices))
    for disk in disks:
        usage = shutil.disk_usage(disk.path)
        assert disk.total_bytes == usage.total
        assert abs(disk.free_bytes - usage.free) < GIB  # others write meanwhile


def test_the_folder_of_the_database_is_measured(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def use(vendor: str, **fields: str) -> None:
        monkeypatch.setattr(disk_space, "connection", SimpleNamespace(vendor=vendor, settings_dict=fields))

    settings.MEDIA_ROOT = str(tmp_path / "absent")
    use("sqlite", NAME=str(tmp_path / "db.sqlite3"))
    assert disk_space.list_folders()[:2] == [tmp_path, tmp_path / "absent"]
    assert measure_disks()[0].path == tmp_path
    for host, is_here in (("", True), ("/run/postgresql", True), ("localhost", True), ("db.example.org", False)):
        use("postgresql", HOST=host)
        assert (disk_space.POSTGRESQL_FOLDER in disk_space.list_folders()) is is_here


@pytest.mark.django_db
def test_readiness_warns_first_and_fails_later(have: Callable[..., None]) -> None:
    have(3000, 100_000)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["disk"], answer.json()["warnings"]) == (200, "ok", [])
    have(1000, 100_000)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["disk"]) == (200, "ok")
    assert answer.json()["warnings"][0].startswith("1000 of 100000 MiB are free at /")
    have(10, 100_000)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["disk"].startswith("OSError: 10 of 100000 MiB are free at /")


def test_scarce_inodes_are_named(have: Callable[..., None]) -> None:
    have(9000, 10_000, 3, 1000)
    assert disk_space.list_warnings()[0].endswith(", and 3 of 1000 inodes")


def test_the_metrics_have_each_disk(have: Callable[..., None]) -> None:
    have(1000, 100_000, 3, 500)
    text = Client().get("/metrics").text
    for name, value in {"free_bytes": 1000 * MIB, "size_bytes": 100_000 * MIB, "free_inodes": 3, "inodes": 500}.items():
        (found,) = set(re.findall(rf'^channels_disk_{name}{{path="/[^"]*"}} (\S+)$', text, re.MULTILINE))
        assert float(found) == value


def test_the_alerts_have_the_thresholds_of_the_readiness() -> None:
    rules = (REPO / "docker/observe/rules.yml").read_text()
    low = f"< {disk_space.LOW_SHARE:g} * channels_disk_size_bytes"
    assert f"{low} and channels_disk_free_bytes < {disk_space.LOW_BYTES // MIB} * 1024 * 1024" in rules
    assert f"channels_disk_free_inodes < {disk_space.LOW_INODES_SHARE:g} * channels_disk_inodes" in rules
