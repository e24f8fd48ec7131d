"""From the event loop to the database and back."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")

# Each thread keeps one connection, so this is also the number of connections of a process. A transaction waits for
# the disk or for a room's lock most of its time; more threads than this only wait for each other.
THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="database")


async def query(verb: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run a service, or any other synchronous use of models, without holding up the sockets."""
    call: Callable[P, Awaitable[T]] = database_sync_to_async(verb, thread_sensitive=False, executor=THREADS)
    return await call(*arguments, **named)
