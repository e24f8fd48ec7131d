"""Containers pass the acceptance tests, and start within the time limit."""

import os
import subprocess
import sys
import time

from tests.docker.compose import Compose
from tests.running import REPO

SECONDS_TO_FIRST_PAGE = 90  # with the base images present, the image of the application built on the way


def test_the_stack_passes_the_acceptance_tests(compose: Compose) -> None:
    where = {
        "PARLEY_BASE_URL": compose.url,
        "PARLEY_HTTP_URL": compose.http_url,
        "PARLEY_CA": str(compose.ca),
        "PARLEY_TRAITS": "nginx",
    }
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "-rs", "tests/acceptance"]
    done = subprocess.run(command, cwd=REPO, env=os.environ | where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_data_survives_down_and_the_next_start_creates_nothing(compose: Compose, record_property) -> None:
    (cookie,) = compose.people("ann")
    secret = compose("exec", "-T", "web", "cat", "/run/secrets/SECRET_KEY")
    compose("down")
    began = time.monotonic()
    compose.up()
    record_property("seconds_to_first_page", round(time.monotonic() - began, 1))
    assert time.monotonic() - began < SECONDS_TO_FIRST_PAGE
    assert compose("exec", "-T", "web", "cat", "/run/secrets/SECRET_KEY") == secret
    count = "from django.contrib.sessions.models import Session as S; print(S.objects.filter(pk='{}').count())"
    assert compose.shell(count.format(cookie)) == "1"
