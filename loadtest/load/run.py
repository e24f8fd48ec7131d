"""A run from its plan to its director's findings: worker processes, and locust's master. Imports locust."""

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

from loadtest.load.director import Director
from loadtest.load.options import import_user_class
from loadtest.load.plan import USER_JOURNEY, BadPlan, Plan
from loadtest.load.progress import Progress
from loadtest.load.scenarios.scenario import Scenario
from loadtest.load.server_usage import ServerUsage
from loadtest.load.worker import Worker

STOP_TIMEOUT_SECONDS = 10


def run_master(
    plan: Plan,
    scenario: Scenario,
    *,
    user: str,
    processes: int,
    more_workers: int,
    listen: tuple[str, int],
    server: ServerUsage | None,
    progress: Progress,
    max_lag_ms: float,
    cores: list[int],
) -> Director:
    """Play the scenario.

    Args:
        plan: of the run.
        scenario: made for this plan.
        user: the path of the user class, see `import_user_class`.
        processes: workers that are started here.
        more_workers: workers on other machines to wait for.
        listen: host and port for workers.
        server: measures the server, if it runs on this machine.
        progress: prints how the run goes.
        max_lag_ms: by which the generator may be late at p99.
        cores: for the workers that are started here.

    Raises:
        NotReady: the run could not begin, or not go on.
        BadPlan: this user class cannot do what the plan says.
    """
    logging.basicConfig(level=logging.ERROR)
    chosen = import_user_class(user)
    if not chosen.acks and plan.rooms_each > 1:
        raise BadPlan("This server does not number the changes of a room: --rooms-each must be 1.")
    if plan.behaviour == USER_JOURNEY and not chosen.has_user_journey:
        raise BadPlan("This user class has no user journey.")
    environment = Environment(user_classes=[chosen], host=plan.url)
    runner = environment.create_master_runner(*listen)
    port = runner.server.port if hasattr(runner.server, "port") else listen[1]
    director = Director(runner, plan, scenario, progress, server, max_lag_ms)
    if more_workers:
        progress.say(f"waiting for {more_workers} workers: python -m loadtest --join {listen[0]}:{port}")
    try:
        with start_workers(processes, f"127.0.0.1:{port}", user, director, cores):
            director.run(processes + more_workers)
            runner.quit()
    except BaseException:
        runner.quit()
        raise
    return director


@contextmanager
def start_workers(number: int, join: str, user: str, director: Director, cores: list[int]) -> Iterator[None]:
    """Start so many worker processes, and end them when the block is left.

    If one ends before, `director.failure` is set.
    """
    command = [sys.executable, "-m", "loadtest", "--join", join, "--user", user]
    started = [subprocess.Popen(command) for _ in range(number)]  # noqa: S603
    for process in started:
        os.sched_setaffinity(process.pid, cores)
    watch = gevent.spawn(watch_workers, started, director)
    try:
        yield
    finally:
        watch.kill()
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for process in started:
            while process.poll() is None and time.monotonic() < deadline:
                gevent.sleep(0.05)
            process.kill()
            process.wait()


def watch_workers(started: list[subprocess.Popen[bytes]], director: Director) -> None:
    """Set `director.failure` when one of the processes ends before the run is over."""
    while not director.is_over:
        for process in started:
            if (code := process.poll()) is not None:
                director.failure = f"A worker process ended with exit code {code}; its last output is above."
                return
        gevent.sleep(0.2)


def run_worker(host: str, port: int, user: str) -> None:
    """Be a worker of the master at this address until it is done."""
    logging.basicConfig(level=logging.ERROR)
    chosen: Any = import_user_class(user)
    environment = Environment(user_classes=[chosen])
    runner = environment.create_worker_runner(host, port)
    chosen.worker = Worker(runner, chosen.decode_events)
    runner.greenlet.join()
