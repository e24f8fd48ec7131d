"""Short intervals, for tests that wait for a ping or a session check."""

import pytest

from channels_realtime import process


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings and session checks come every quarter of a second instead of every 25 s."""
    for name in ("PING_INTERVAL_SECONDS", "SESSION_CHECK_INTERVAL_SECONDS"):
        monkeypatch.setattr(process, name, getattr(process, name) / 100)
