"""A run from its plan to its result: the worker processes, locust's master, the director. Imports locust."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from locust.env import Environment

from loadtest.director import Director
from loadtest.options import user_class
from loadtest.plan import BadPlan, Plan
from loadtest.progress import Progress
from loadtest.scenarios.scenario import Scenario
from loadtest.server import Server
from loadtest.worker import Worker

STOP_SECONDS = 10


def lead(
    plan: Plan,
    scenario: Scenario,
    *,
    user: str,
    processes: int,
    more_workers: int,
    listen: tuple[str, int],
    server: Server | None,
    progress: Progress,
    most_lag_ms: float,
    cores: list[int],
) -> Director:
    """Play the scenario with so many worker processes of our own, on these cores, and others that come.

    Raises NotReady or BadPlan.
    """
    logging.basicConfig(level=logging.ERROR)
    chosen = user_class(user)
    if not chosen.acks and plan.rooms_each > 1:
        raise BadPlan("This server does not count what happens in a room: --rooms-each must be 1.")
    if plan.behaviour == "day" and not chosen.has_days:
        raise BadPlan("This server's users have no day.")
    environment = Environment(user_classes=[chosen], host=plan.url)
    runner = environment.create_master_runner(*listen)
    port = runner.server.port if hasattr(runner.server, "port") else listen[1]
    director = Director(runner, plan, scenario, progress, server, most_lag_ms)
    if more_workers:
        progress.say(f"waiting for {more_workers} workers: python -m loadtest --join {listen[0]}:{port}")
    try:
        with workers(processes, f"127.0.0.1:{port}", user, director, cores):
            director.run(processes + more_workers)
            runner.quit()
    except BaseException:
        runner.quit()
        raise
    return director


@contextmanager
def workers(number: int, join: str, user: str, director: Director, cores: list[int]) -> Iterator[None]:
    """So many worker processes; ended when the block is left. The director hears of one that ends before."""
    command = [sys.executable, "-m", "loadtest", "--join", join, "--user", user]
    started = [subprocess.Popen(command) for _ in range(number)]  # noqa: S603
    for process in started:
        os.sched_setaffinity(process.pid, cores)
    watch = gevent.spawn(watched, started, director)
    try:
        yield
    finally:
        watch.kill()
        deadline = time.monotonic() + STOP_SECONDS
        for process in started:
            while process.poll() is None and time.monotonic() < deadline:
                gevent.sleep(0.05)
            process.kill()
            process.wait()


def watched(started: list[subprocess.Popen[bytes]], director: Director) -> None:
    while not director.over:
        for process in started:
            if (code := process.poll()) is not None:
                director.broken = f"A worker process ended with exit code {code}; its last words are above."
                return
        gevent.sleep(0.2)


def follow(host: str, port: int, user: str) -> None:
    """Be a worker until the master is done."""
    logging.basicConfig(level=logging.ERROR)
    chosen: Any = user_class(user)
    environment = Environment(user_classes=[chosen])
    runner = environment.create_worker_runner(host, port)
    chosen.worker = Worker(runner, chosen.events_in)
    runner.greenlet.join()
