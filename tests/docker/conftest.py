"""One stack in containers for all of these tests. Each test leaves it as it was."""

import shutil
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.docker.compose import Compose


@pytest.fixture(scope="session")
def compose() -> Iterator[Compose]:
    engine = shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False)
    if not engine or engine.returncode:
        pytest.skip("no Docker engine answers here")
    running = Compose()
    try:
        running("build", "--quiet")
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture
def room() -> str:
    return f"quay-{uuid4().hex[:6]}"
