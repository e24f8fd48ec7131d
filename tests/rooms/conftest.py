"""Shorter times for tests that wait."""

import asyncio
from typing import Any

import pytest

from chat import limits
from chat.ws import process
from realtime.ping_scheduler import Pulse


@pytest.fixture
async def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 25 s between two pings are a quarter of a second; all other timers keep their time."""
    loop = asyncio.get_running_loop()
    later = loop.call_later

    def sooner(delay: float, *what: Any, **named: Any) -> asyncio.TimerHandle:
        return later(delay / 100 if delay == limits.PING_SECONDS else delay, *what, **named)

    loop.call_later = sooner  # type: ignore[method-assign]
    monkeypatch.setattr(process, "Pulse", lambda seconds: Pulse(seconds / 100))
