"""Fixtures for tests of channels_stack: a Redis, and projects in the test's folder."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site.project import Project


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a Redis of this test run."""
    folder = Path(tempfile.mkdtemp(prefix="parley-site-"))
    file = folder / "redis.sock"
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(file), "--save", ""], stdout=subprocess.DEVNULL
    )
    while not file.exists():
        assert process.poll() is None, "redis-server ended"
        time.sleep(0.02)
    yield f"unix://{file}"
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Write a project: `make_project(files, origin_check=False)`; named fields are those of its site description."""

    def make(files: dict[str, str], **site: Any) -> Project:
        folder = tmp_path / f"project{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return Project(folder, files, **site)

    return make
