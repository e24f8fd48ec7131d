"""An event loop whose time passes only while everybody waits: nothing is slow, and nothing is left to luck."""

import asyncio
from typing import Any

LONG_ENOUGH = 24 * 60 * 60  # seconds; no test means to take as long


class PatientLoop(asyncio.SelectorEventLoop):
    """time() stands still while there is anything to do, then jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._wait = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._look  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now

    def _look(self, timeout: float | None) -> Any:
        if timeout is None:  # no timer: only another thread can have something for us
            found = self._wait(10)
            assert found, "everybody waits for something that never happens"
            return found
        if not (found := self._wait(0)):
            self._now += timeout
            assert self._now < LONG_ENOUGH, "everybody waits, for days"
        return found

    @property
    def busy(self) -> bool:
        """Whether anybody could go on now, but for the one who asks."""
        timers = self._scheduled  # type: ignore[attr-defined]
        return bool(self._ready or (timers and timers[0].when() <= self._now))  # type: ignore[attr-defined]


async def turns(number: int) -> None:
    """Let everybody else go on for so many turns of the loop."""
    for _ in range(number):
        await asyncio.sleep(0)


async def quiet() -> None:
    """Return once everybody waits for time to pass, or for us."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    await asyncio.sleep(0)
    while loop.busy:
        await asyncio.sleep(0)


def passing() -> float:
    """What the running loop's clock shows."""
    return asyncio.get_running_loop().time()
