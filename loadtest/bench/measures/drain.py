"""A restart with a full house: everybody is told, then closed with 1012, in the time that is given; exit 0."""

import signal
import subprocess
import time
from typing import Any

from loadtest.bench.client_process import Client
from loadtest.bench.contenders.parley import Parley
from loadtest.bench.measure import fill
from loadtest.bench.programs import Programs

PATIENCE = 15  # seconds beyond the drain


def drain(*, quick: bool, size: int | None, seconds: float | None) -> list[dict[str, Any]]:
    """One row."""
    size = size or (1_000 if quick else 5_000)
    spread = seconds or 10
    with Programs() as programs:
        target = Parley(unix=True, env={"DRAIN_SECONDS": str(spread)}).start(programs, size)
        (process,) = [one for one in programs.running if one.pid == target.listening_pid]
        with Client(target, size) as client:
            fill(programs, client, size)
            client.begin("farewell", seconds=spread + PATIENCE)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            told = client.answer()
            try:
                code: int | str = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                code = "none, it still runs"
            took = time.monotonic() - began
    return [
        {
            "sockets": told["there"],
            "drain_seconds": spread,
            "closed_1012": told["closed"].get("1012", 0),
            "after_bye": told["goodbyes"],
            "closed": told["closed"],
            "left": told["left"],
            "spread_over_seconds": told["spread_seconds"],
            "exit_code": code,
            "exit_after_seconds": took,
        }
    ]
