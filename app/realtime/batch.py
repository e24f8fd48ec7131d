"""Calls that arrive together go together.

While one batch is being worked on, the next questions gather; then they go as one. Nobody waits for company except who
says so. A restart that sends five thousand clients back costs a few dozen transactions instead of fifty thousand
queries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batch(Generic[Question, Answer]):
    """`answer_all` takes some questions, in the order they were asked, and gives one answer or exception for each."""

    def __init__(
        self, answer_all: Callable[[list[Question]], Awaitable[Sequence[Answer | Exception]]], *, largest: int
    ) -> None:
        self._answer_all = answer_all
        self._largest = largest
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._due = 0.0  # when it ends, by the loop's clock; not every loop's timer knows

    def ask(self, question: Question, wait: float = 0) -> "asyncio.Future[Answer]":
        """The answer, once its batch is done; if all of the batch failed, that failure.

        wait: seconds for which it may stay for others. Who will not wait takes all of them along.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, future))
        if self._task is None or self._task.done():
            if wait <= 0:
                self._begin()
            elif self._timer is None or self._due > loop.time() + wait:
                self._forget_timer()
                self._due = loop.time() + wait
                self._timer = loop.call_later(wait, self._begin)
        return future

    def _begin(self) -> None:
        self._forget_timer()
        self._task = asyncio.ensure_future(self._work())

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _work(self) -> None:
        while self._waiting:  # who came meanwhile has waited long enough
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            try:
                answers = await self._answer_all([question for question, _ in batch])
            except Exception as error:  # each asker is told, and may ask again
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue  # the asker has gone
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
