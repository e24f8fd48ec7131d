"""What processes have used, measured in an artificial /proc and in the real one."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from loadtest.core.processes import Usage, has_mapped, measure_family

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


def stat(pid: int, name: str, parent: int, *ticks: int) -> str:
    utime, stime, cutime, cstime = ticks
    times = f"{utime} {stime} {cutime} {cstime}"
    return f"{pid} ({name}) S {parent} 1 1 0 -1 4194560 900 0 0 0 {times} 20 0 4 0 777 {'0 ' * 17}1{' 0' * 13}\n"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A master with two workers, one of which has a child, and a stranger."""
    table = {
        10: ("master", 1, (100, 50, 20, 10), 3),
        11: ("worker (old) 1", 10, (200, 0, 0, 0), 5),
        12: ("worker", 10, (0, 300, 0, 0), 7),
        13: ("helper", 12, (1, 2, 3, 4), 11),
        20: ("tmux: (1) server) x", 1, (9999, 9999, 0, 0), 999),
    }
    for pid, (name, parent, ticks, pages) in table.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(stat(pid, name, parent, *ticks))
        (tmp_path / str(pid) / "statm").write_text(f"5000 {pages} 100 1 0 200 0\n")
    (tmp_path / "stat").write_text("btime 1700000000\n")
    (tmp_path / "self").mkdir()
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))


@pytest.mark.usefixtures("proc")
def test_a_name_may_hold_spaces_and_parentheses() -> None:
    assert measure_family([20]).cpu == pytest.approx(19_998 / TICKS)


@pytest.mark.usefixtures("proc")
def test_a_family_is_counted_down_to_grandchildren() -> None:
    used = measure_family([10])
    assert used.cpu == pytest.approx((180 + 200 + 300 + 10) / TICKS)
    assert used.rss == (3 + 5 + 7 + 11) * PAGE


@pytest.mark.usefixtures("proc")
def test_no_process_is_counted_twice() -> None:
    assert measure_family([10, 12]) == measure_family([10])


@pytest.mark.usefixtures("proc")
def test_a_process_that_has_ended_counts_nothing() -> None:
    assert measure_family([4711]) == Usage(0, 0)


def test_the_cpu_time_of_a_child_that_has_ended_is_measured() -> None:
    before = measure_family([os.getpid()])
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    after = measure_family([os.getpid()])
    assert 0.4 <= after.cpu - before.cpu <= 2  # the kernel counts in ticks of 10 ms, several of them rounded down
    assert after.rss > 1024 * 1024


def test_a_loaded_library_is_found() -> None:
    assert has_mapped(os.getpid(), "libc.so")
    assert not has_mapped(os.getpid(), "no-such-library")
