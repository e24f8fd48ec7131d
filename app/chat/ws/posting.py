"""Group commit: posts that arrive together share a transaction.

While one is being committed the next ones gather; then they go together. Nobody waits for company, nobody is told ok
before the commit, and each room keeps the order in which its posts arrived here.
"""

import asyncio

from chat.services.messages import Post, Posted, post_messages
from chat.ws.database import query

LARGEST = 200  # posts in one transaction: some 20 ms


class PostOffice:
    """One per process."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Post, asyncio.Future[Posted]]] = []
        self._task: asyncio.Task[None] | None = None

    def post(self, post: Post) -> "asyncio.Future[Posted]":
        """The post's outcome, once it is committed; its exception is a ChatError or the database's."""
        future: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        self._waiting.append((post, future))
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())
        return future

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            try:
                outcomes: list[Posted | Exception] = list(await query(post_messages, [post for post, _ in batch]))
            except Exception as error:  # each sender is told, and may try again
                outcomes = [error] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.cancelled():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
