"""A healthy site, which all tests share, behind an nginx of each test's own that has one fault."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doctor.channels_site import ChannelsSite, RedisServer
from tests.doctor.doctor_command import Doctor
from tests.doctor.edited_nginx import EditedNginx, Edits
from tests.running import Stack

StartNginx = Callable[..., EditedNginx]


@pytest.fixture
def start_nginx(stack: Stack, tmp_path: Path) -> Iterator[StartNginx]:
    """`start_nginx({"sites/site.conf": [(old text, new text)]})`; without edits nothing is wrong."""
    started: list[EditedNginx] = []

    def start(edits: Edits | None = None, **options: str) -> EditedNginx:
        started.append(EditedNginx(stack.folder / "var", tmp_path / f"nginx{len(started)}", edits or {}, **options))
        return started[-1]

    yield start
    for nginx in started:
        nginx.stop()


@pytest.fixture
def doctor(stack: Stack) -> Doctor:
    return Doctor(stack)


@pytest.fixture(scope="session")
def channels_site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChannelsSite]:
    """A Channels site other than Parley, with a path for each mistake."""
    folder = tmp_path_factory.mktemp("t")  # short: the path of a unix socket is limited
    old_redis = RedisServer(folder, "--rename-command", "BZPOPMIN", "")
    site = ChannelsSite(folder, redis=stack.folder / "var/run/redis.sock", old_redis=old_redis.socket)
    yield site
    site.stop()
    old_redis.stop()
