"""`make up` and `parley up` of the chat say where the site is, also where Compose has that from .env alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent.parent
# Answers as Docker does for a chat whose .env has DOMAIN and HTTPS_PORT.
DOCKER = """#!/bin/sh
case "$*" in
    "compose version --short") echo 2.26.1 ;;
    *"exec -T nginx printenv SITE_DOMAIN") echo chat.example.org,other.example.org ;;
    *"port nginx 8443") echo 0.0.0.0:1443 ;;
    *" logs --no-log-prefix init") printf '%s\\n' 'init: PARLEY_DOMAIN is now DOMAIN' 'created a key' ;;
esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_STATE_HOME": str(tmp_path / "state")}


def test_make_up_prints_the_address_and_the_new_names(environment: dict[str, str]) -> None:
    shown = subprocess.run(["make", "up"], cwd=REPO, env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout == "The chat is running at https://chat.example.org:1443\n"
    assert shown.stderr == "init: PARLEY_DOMAIN is now DOMAIN\n"


def test_the_program_prints_the_address(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "deploy.cli", "up", str(REPO)]
    shown = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "parley: the chat is running at https://chat.example.org:1443"
