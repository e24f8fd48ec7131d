"""Disk, inodes, mounts and memory: too little is a stop with the figures."""

import os
from pathlib import Path

import pytest

from deploy.preflight.host.storage import check_disk, check_memory, check_mounts, list_needs, read_memory_mib
from deploy.preflight.plan import MIN_FREE_MEMORY_MIB, MIN_MEMORY_MIB, RELEASE_MIB, Plan
from tests.preflight.conftest import write

HUGE_MIB = 1 << 40
MIB = 1024 * 1024


def test_a_disk_with_room_is_no_finding(plan: Plan, tmp_path: Path) -> None:
    assert list(check_disk(plan, {str(tmp_path / "a" / "new" / "folder"): 1}, kept=0)) == []


def test_a_small_disk_is_a_stop_with_both_figures(plan: Plan, tmp_path: Path) -> None:
    (found,) = check_disk(plan, {str(tmp_path): HUGE_MIB}, kept=0)
    assert found.severity == "stop"
    assert f"needs {HUGE_MIB:,} MB" in found.sentence
    assert "du -xh" in found.fix


def test_folders_of_one_file_system_share_its_room(plan: Plan, tmp_path: Path) -> None:
    folders = [tmp_path / "opt", tmp_path / "var"]
    half = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize // MIB * 3 // 4
    (found,) = check_disk(plan, {str(folder): half for folder in folders}, kept=0)
    assert f"{folders[0]} and {folders[1]} have" in found.sentence


def space(mib: int, inodes: int = 1_000_000) -> os.statvfs_result:
    """A file system with so many MiB and inodes free."""
    return os.statvfs_result((4096, MIB, mib, mib, mib, inodes, inodes, inodes, 0, 255))


def test_room_for_one_release_but_not_for_five_is_a_note(plan: Plan) -> None:
    needs = {plan.root: RELEASE_MIB}
    (found,) = check_disk(plan, needs, kept=1, measure=lambda _: space(RELEASE_MIB * 2))
    assert found.severity == "note"
    assert "5 releases" in found.sentence
    assert list(check_disk(plan, needs, kept=5, measure=lambda _: space(RELEASE_MIB * 2))) == []


def test_too_few_inodes_are_a_stop(plan: Plan) -> None:
    (found,) = check_disk(plan, {"/opt": 1}, kept=5, measure=lambda _: space(100, inodes=300))
    assert found.subject == "inodes /opt"
    assert "300 more files" in found.sentence


def test_the_next_release_needs_less_than_the_first(plan: Plan) -> None:
    first, next_one = list_needs(plan, is_installed=False), list_needs(plan, is_installed=True)
    assert sum(next_one.values()) < sum(first.values())
    assert next_one[plan.root] == first[plan.root] == RELEASE_MIB


@pytest.mark.parametrize(
    ("mount", "options", "words"),
    [
        ("/opt", "rw,nosuid,noexec", "noexec, and the programs of a release"),
        ("/", "ro,relatime", "read-only"),
        ("/var", "rw,noexec", "noexec, and apt's scripts"),
    ],
)
def test_a_mount_on_which_nothing_runs_is_a_stop(
    plan: Plan, tmp_path: Path, mount: str, options: str, words: str
) -> None:
    write(tmp_path / "self/mounts", f"/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 {mount} ext4 {options} 0 0\n")
    found = list(check_mounts(plan, tmp_path))
    assert found
    assert all(finding.severity == "stop" for finding in found)
    assert words in found[0].sentence


def test_mounts_of_a_usual_host_are_no_finding(plan: Plan, tmp_path: Path) -> None:
    write(tmp_path / "self/mounts", "/dev/sda1 / ext4 rw,relatime 0 0\ntmpfs /tmp tmpfs rw,noexec 0 0\n")
    assert list(check_mounts(plan, tmp_path)) == []


def test_the_memory_of_this_machine_is_read() -> None:
    total, free = read_memory_mib()
    assert total > 0
    assert free > 0


@pytest.mark.parametrize("file", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_limit_of_a_container_counts(tmp_path: Path, file: str) -> None:
    write(tmp_path / "meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapFree: 0 kB\n")
    assert read_memory_mib(tmp_path, tmp_path) == (8192, 4096)
    write(tmp_path / file, f"{256 * MIB}\n")
    assert read_memory_mib(tmp_path, tmp_path) == (256, 256)


def test_a_control_group_without_a_limit_has_the_machines_memory(tmp_path: Path) -> None:
    write(tmp_path / "meminfo", "MemTotal: 2097152 kB\nMemAvailable: 1048576 kB\nSwapFree: 1024 kB\n")
    write(tmp_path / "memory.max", "max\n")
    assert read_memory_mib(tmp_path, tmp_path) == (2048, 1025)


def test_too_little_memory_is_a_stop(plan: Plan) -> None:
    (found,) = check_memory(plan, 256, 200, is_installed=False)
    assert "256 MB of memory" in found.sentence
    assert list(check_memory(plan, MIN_MEMORY_MIB, MIN_FREE_MEMORY_MIB, is_installed=False)) == []


def test_memory_that_others_use_is_a_stop_for_a_new_site_only(plan: Plan) -> None:
    (found,) = check_memory(plan, 2048, 100, is_installed=False)
    assert "100 of 2,048 MB" in found.sentence
    assert list(check_memory(plan, 2048, 100, is_installed=True)) == []
