"""An event loop with virtual time: waiting takes no real time, and the order of events is always the same."""

import asyncio
from typing import Any

LONG_ENOUGH = 24 * 60 * 60  # seconds of virtual time; no test needs as many


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop whose time() stands still while a task can run, and jumps to the next timer when none can."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._wait = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._select  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the virtual time, in seconds since the loop began."""
        return self._now

    def _select(self, timeout: float | None) -> Any:
        if timeout is None:  # no timer is set: only another thread can wake a task
            found = self._wait(10)
            assert found, "every task waits for something that never happens"
            return found
        if not (found := self._wait(0)):
            self._now += timeout
            assert self._now < LONG_ENOUGH, "every task waits, for more than a day of virtual time"
        return found

    @property
    def busy(self) -> bool:
        """Whether a task other than the caller can run now."""
        timers = self._scheduled  # type: ignore[attr-defined]
        return bool(self._ready or (timers and timers[0].when() <= self._now))  # type: ignore[attr-defined]


async def turns(number: int) -> None:
    """Let the other tasks run for `number` iterations of the loop."""
    for _ in range(number):
        await asyncio.sleep(0)


async def quiet() -> None:
    """Return when all other tasks wait for a timer or for the caller."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    await asyncio.sleep(0)
    while loop.busy:
        await asyncio.sleep(0)


def passing() -> float:
    """Return the time of the running loop."""
    return asyncio.get_running_loop().time()
