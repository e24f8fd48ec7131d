"""The messages to systemd never block a server, and nobody has to listen."""

import socket
from pathlib import Path

import pytest

from channels_realtime.systemd import feed_watchdog, notify

MAX_QUEUED_MESSAGES = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return str(tmp_path / "notify")


def test_a_server_whose_watchdog_does_not_read_is_not_blocked(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        for _ in range(2 * MAX_QUEUED_MESSAGES + 2):
            feed_watchdog()
        receiver.setblocking(False)
        assert receiver.recv(100) == b"WATCHDOG=1"


def test_a_server_that_was_started_by_a_process_that_has_ended_can_still_stop(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
    notify("STOPPING=1")  # nobody listens at the file that is left
    feed_watchdog()
    Path(address).unlink()
    notify("STOPPING=1")


def test_the_assignments_of_one_call_are_one_message(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        notify("READY=1", "STATUS=Listening")
        assert receiver.recv(100) == b"READY=1\nSTATUS=Listening"
