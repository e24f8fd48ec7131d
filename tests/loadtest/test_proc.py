"""What processes have used, read from a /proc of our own making and from the real one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.proc import PAGE, TICKS, maps, parse_stat, usage


def stat(pid: int, name: str, parent: int, *ticks: int) -> str:
    utime, stime, cutime, cstime = ticks
    return f"{pid} ({name}) S {parent} 1 1 0 -1 4194560 900 0 0 0 {utime} {stime} {cutime} {cstime} 20 0 4 0 777 0 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A master with two workers, one of which has a child, and a stranger."""
    table = {
        10: ("master", 1, (100, 50, 20, 10), 3),
        11: ("worker (old) 1", 10, (200, 0, 0, 0), 5),
        12: ("worker", 10, (0, 300, 0, 0), 7),
        13: ("helper", 12, (1, 2, 3, 4), 11),
        20: ("stranger", 1, (9999, 9999, 0, 0), 999),
    }
    for pid, (name, parent, ticks, pages) in table.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(stat(pid, name, parent, *ticks))
        (tmp_path / str(pid) / "statm").write_text(f"5000 {pages} 100 1 0 200 0\n")
    (tmp_path / "self").mkdir()
    return tmp_path


def test_a_name_may_hold_spaces_and_parentheses() -> None:
    assert parse_stat(stat(7, "tmux: (1) server) x", 3, 1, 2, 4, 8)) == (3, 15)


def test_a_family_is_counted_down_to_grandchildren(proc: Path) -> None:
    used = usage([10], proc)
    assert used.cpu == (180 + 200 + 300 + 10) / TICKS
    assert used.rss == (3 + 5 + 7 + 11) * PAGE


def test_nobody_is_counted_twice(proc: Path) -> None:
    assert usage([10, 12], proc) == usage([10], proc)


def test_one_that_is_gone_counts_nothing(proc: Path) -> None:
    assert usage([4711], proc) == (0, 0)


def test_the_real_proc_sees_what_a_child_burns() -> None:
    before = usage([os.getpid()])
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    after = usage([os.getpid()])
    assert 0.4 <= after.cpu - before.cpu <= 2  # the kernel counts in ticks of 10 ms, several of them rounded down
    assert after.rss > 1024 * 1024


def test_a_loaded_library_shows() -> None:
    assert maps(os.getpid(), "libc.so")
    assert not maps(os.getpid(), "no-such-library")
