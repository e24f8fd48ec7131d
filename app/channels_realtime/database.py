"""From the event loop to the database and back: single calls, and calls that share one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from django.db import close_old_connections

from .metrics import POOL_BUSY, POOL_SIZE, POOL_WAIT

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

# Each thread keeps one connection, so this is also the number of connections of a process. A transaction waits for
# the disk or for a row lock most of its time; more threads than this only wait for each other.
POOL_THREADS = 4
POOL = ThreadPoolExecutor(max_workers=POOL_THREADS, thread_name_prefix="database")
POOL_SIZE.set(POOL_THREADS)


async def run_query(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run a synchronous function that uses models in a database thread, and return what it returns.

    It does what channels.db.database_sync_to_async does without a way back into the event loop (no service calls
    asynchronous code) and without a second check for old connections: each message pays for these steps.
    """
    call = partial(_run_connected, time.perf_counter(), function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(POOL, call)


def _run_connected(submitted_at: float, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    POOL_WAIT.observe(time.perf_counter() - submitted_at)
    with POOL_BUSY.track_inprogress():
        close_old_connections()  # one that is broken, or older than CONN_MAX_AGE
        return function(*arguments, **named)


class Batch(Generic[Item, Result]):
    """Runs one function for many items at once: items that arrive while a batch runs form the next batch.

    No item waits for others unless its caller says so. A restart that makes five thousand clients reconnect then costs
    a few dozen transactions instead of fifty thousand queries.
    """

    def __init__(self, run: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]], *, max_size: int) -> None:
        """Create an empty batch.

        Args:
            run: Takes items in the order of their submission, and returns a result or an exception for each.
            max_size: Items in one call of `run`.
        """
        self._run = run
        self._max_size = max_size
        self._pending: list[tuple[Item, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0  # by the loop's clock; not every loop's timer tells it

    def submit(self, item: Item, wait: float = 0) -> "asyncio.Future[Result]":
        """Add an item, and return the future of its result. If `run` raises, every item of the batch gets that error.

        Args:
            item: What `run` gets.
            wait: Seconds for which the item may wait for others. An item with wait=0 starts the batch at once, with
                all items that wait.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._pending.append((item, future))
        if self._task is None or self._task.done():
            if wait <= 0:
                self._start()
            elif self._timer is None or self._timer_at > loop.time() + wait:
                self._cancel_timer()
                self._timer_at = loop.time() + wait
                self._timer = loop.call_later(wait, self._start)
        return future

    def _start(self) -> None:
        self._cancel_timer()
        self._task = asyncio.ensure_future(self._run_pending())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _run_pending(self) -> None:
        while self._pending:  # an item that arrived while a batch ran has waited long enough
            batch, self._pending = self._pending[: self._max_size], self._pending[self._max_size :]
            try:
                results = await self._run([item for item, _ in batch])
            except Exception as error:  # each caller gets it, and may try again
                results = [error] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue  # its caller was cancelled
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
