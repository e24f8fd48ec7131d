"""The doctor of the image checks nginx from inside as it would from outside."""

import json

from tests.docker.compose import Compose

DOCTOR = ("exec", "-T", "web", "/opt/parley/docker/entrypoint", "doctor")


def test_the_doctor_finds_a_healthy_stack_healthy(compose: Compose) -> None:
    report = json.loads(compose(*DOCTOR, "https://nginx:8443", "--insecure", "--json", check=False))
    assert report["exit_code"] == 0, report


def test_the_doctor_notices_that_no_websocket_server_runs(compose: Compose) -> None:
    compose("stop", "ws")
    try:
        report = json.loads(compose(*DOCTOR, "https://nginx:8443", "--insecure", "--json", check=False))
        assert report["exit_code"] in (15, 16), report  # the 426, or the handshake
    finally:
        compose("up", "--detach", "--no-recreate", "--wait", "ws")
