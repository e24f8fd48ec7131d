"""A restart with open sockets: all get a `bye`, are closed with 1012 in the time that is set, and it exits with 0."""

import signal
import subprocess
import time
from typing import cast

from loadtest.bench.client.room import CloseResult
from loadtest.bench.client_process import Client
from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.measure import connect_members
from loadtest.bench.result import DrainRow
from loadtest.bench.servers import ServerProcesses

EXTRA_SECONDS = 15  # beyond the drain, for the last close and for the exit
DEFAULT_DRAIN_SECONDS = 10


def measure_drain(*, quick: bool, size: int | None, seconds: float | None) -> list[DrainRow]:
    """Return one row."""
    size = size or (1_000 if quick else 5_000)
    drain_seconds = seconds or DEFAULT_DRAIN_SECONDS
    with ServerProcesses() as servers:
        target = BundledChat(unix=True, env={"DRAIN_SECONDS": str(drain_seconds)}).start(servers, size)
        (process,) = [one for one in servers.running if one.pid == target.listening_pid]
        with Client(target, size) as client:
            connect_members(servers, client, size)
            client.start_await_close(seconds=drain_seconds + EXTRA_SECONDS)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            result = cast("CloseResult", client.read_answer())
            try:
                code: int | str = process.wait(EXTRA_SECONDS)
            except subprocess.TimeoutExpired:
                code = "none, it still runs"
            took = time.monotonic() - started
    return [
        DrainRow(
            sockets=result["connected"],
            drain_seconds=drain_seconds,
            closed_1012=result["closed"].get("1012", 0),
            closed_after_bye=result["closed_after_bye"],
            closed=result["closed"],
            remaining=result["remaining"],
            spread_seconds=result["spread_seconds"],
            exit_code=code,
            exit_after_seconds=took,
        )
    ]
