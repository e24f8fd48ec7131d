"""The supervisor of `make run` restarts its processes, and stops all of them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.served import until
from tests.run.started import Supervised


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path)
    try:
        until((tmp_path / "ready").exists)
        until(lambda: running.log().count("up ") == 6)
        yield running
    finally:
        if running.process.poll() is None:
            running.end()


def members(group: int) -> list[int]:
    """Return the living processes of a process group, also those whose parent has ended."""
    listed = subprocess.run(["ps", "-eo", "pgid,pid,stat"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()[1:]]
    return [int(pid) for pgid, pid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_processes_stop_in_their_order_and_none_is_left(supervised: Supervised, number: int) -> None:
    groups = [supervised.pid(name) for name in "abc"]
    assert all(len(members(group)) == 2 for group in groups)
    assert supervised.end(number) == 0
    assert (supervised.folder / "order").read_text().split() == ["b", "c", "a"]
    assert [members(group) for group in groups] == [[], [], []]
    assert list(supervised.folder.glob("*.pid")) == []
    assert "all stopped" in supervised.log()


def test_a_killed_process_is_reported_and_restarted(supervised: Supervised) -> None:
    old, others = supervised.pid("b"), [supervised.pid("a"), supervised.pid("c")]
    os.kill(old, signal.SIGKILL)
    until(lambda: (supervised.folder / "b.pid").exists() and supervised.pid("b") != old)
    until(lambda: supervised.log().count("up ") == 8)
    assert "b was killed (SIGKILL); restarting it now" in supervised.log()
    assert members(old) == []  # its worker would have kept the port
    assert [supervised.pid("a"), supervised.pid("c")] == others


def test_a_held_process_is_not_restarted_until_it_is_released(supervised: Supervised) -> None:
    hold = supervised.folder / "b.hold"
    hold.touch()
    os.kill(supervised.pid("b"), signal.SIGKILL)
    until(lambda: "b was killed" in supervised.log())
    # Meanwhile another process ends and is restarted: time in which b could have started.
    for _ in range(2):
        old = supervised.pid("c")
        os.kill(old, signal.SIGKILL)
        until(lambda old=old: (supervised.folder / "c.pid").exists() and supervised.pid("c") != old)  # type: ignore[misc]
    assert not (supervised.folder / "b.pid").exists()
    hold.unlink()
    until((supervised.folder / "b.pid").exists)


def test_a_process_that_keeps_ending_is_restarted_later_and_later(supervised: Supervised) -> None:
    for _ in range(3):
        old = supervised.pid("b")
        os.kill(old, signal.SIGKILL)
        until(lambda old=old: (supervised.folder / "b.pid").exists() and supervised.pid("b") != old)  # type: ignore[misc]
    lines = [line.split("; ")[1] for line in supervised.log().splitlines() if "b was killed" in line]
    assert lines == ["restarting it now", "restarting it in 1 s", "restarting it in 2 s"]


def test_a_killed_supervisor_ends_its_processes(supervised: Supervised) -> None:
    masters = [supervised.pid(name) for name in "abc"]
    supervised.process.kill()
    supervised.process.wait()
    until(lambda: all(master not in members(master) for master in masters))
    for master in masters:  # a worker that ignores SIGTERM is left
        for orphan in members(master):
            os.kill(orphan, signal.SIGKILL)


def test_a_failed_start_stops_all_processes(tmp_path: Path) -> None:
    running = Supervised(tmp_path, "b")
    assert running.process.wait(30) == 1
    assert "b ended with exit code 3 before Parley was ready; its output is above." in running.log()
    assert "all stopped" in running.log()
    assert not (tmp_path / "ready").exists()


def test_a_process_that_keeps_ending_is_named_with_its_last_lines_and_the_site_goes_on(tmp_path: Path) -> None:
    running = Supervised(tmp_path, "b", "ready")
    try:
        until(lambda: "Stop this run to correct b." in running.log())
        texts = [line.partition("| ")[2] for line in running.log().splitlines()]
        first = texts.index(
            "WARNING: Parley runs without b, which ended 3 times in a row, each time within 60 s of its start."
            " The last time it ended with exit code 3. Its last lines:"
        )
        assert texts[first + 1 : first + 4] == [
            "    cannot import portal",
            "    giving up",
            "It is started again and again. Stop this run to correct b.",
        ]
        assert running.process.poll() is None
    finally:
        assert running.end() == 0
    assert running.log().count("WARNING") == 1, "it is told once"
