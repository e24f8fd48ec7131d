"""manage.py and the scripts of deploy/, as an operator runs them."""

import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest):
    """A running site on each of the two databases."""
    return request.getfixturevalue("stack" if request.param == "sqlite" else "postgres_stack")


def operator(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run("backup", folder)`: deploy/backup in this environment."""

    def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [REPO / "deploy" / script, *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def settings_for(url: str, **more: str) -> dict[str, str]:
    """What a host's environment says."""
    return {
        "PATH": os.environ["PATH"],
        "STACK_ENV_FILE": os.devnull,
        "SECRET_KEY": "x" * 50,
        "DATABASE_URL": url,
        "REDIS_URL": "",
        **more,
    }


@pytest.fixture
def slug() -> str:
    """A room that no other test knows."""
    return f"room-{secrets.token_hex(6)}"
