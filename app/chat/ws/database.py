"""From the event loop to the database and back."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from realtime.metrics import POOL_BUSY, POOL_SIZE, POOL_WAIT

P = ParamSpec("P")
T = TypeVar("T")

# Each thread keeps one connection, so this is also the number of connections of a process. A transaction waits for
# the disk or for a room's lock most of its time; more threads than this only wait for each other.
SIZE = 4
THREADS = ThreadPoolExecutor(max_workers=SIZE, thread_name_prefix="database")
POOL_SIZE.set(SIZE)


async def query(verb: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run a service, or any other synchronous use of models, without holding up the sockets.

    What channels.db.database_sync_to_async does, without its way back (no service calls asynchronous code) and its
    second look at old connections: a message pays for each step.
    """
    call = partial(_connected, time.perf_counter(), verb, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(THREADS, call)


def _connected(asked: float, verb: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    POOL_WAIT.observe(time.perf_counter() - asked)
    with POOL_BUSY.track_inprogress():
        close_old_connections()  # one that broke, or is older than CONN_MAX_AGE
        return verb(*arguments, **named)
