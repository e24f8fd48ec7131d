"""A healthy site, shared, behind an nginx of each test's own that has one fault."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doctor.front import Front
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Redis, Tutorial
from tests.running import Stack

Fronted = Callable[..., Front]


@pytest.fixture
def front(stack: Stack, tmp_path: Path) -> Iterator[Fronted]:
    """`front({"sites/parley.conf": [(what stands there, what stands there now)]})`; the first is everything's usual."""
    started: list[Front] = []

    def start(edits: dict[str, list[tuple[str, str]]] | None = None, **options: str) -> Front:
        started.append(Front(stack.folder / "var", tmp_path / f"front{len(started)}", edits or {}, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def doctor(stack: Stack) -> Doctor:
    return Doctor(stack)


@pytest.fixture(scope="session")
def tutorial(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tutorial]:
    """A Channels site that is not ours, with an address for each mistake."""
    folder = tmp_path_factory.mktemp("t")  # short: unix sockets lie below
    old = Redis(folder, "--rename-command", "BZPOPMIN", "")
    running = Tutorial(folder, redis=stack.folder / "var/run/redis.sock", old_redis=old.socket)
    yield running
    running.end()
    old.end()
