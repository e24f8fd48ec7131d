"""The doctor comes in the image, and walks to nginx from inside as it would from outside."""

import json

from tests.docker.compose import Compose

DOCTOR = ("exec", "-T", "web", "/opt/parley/docker/entrypoint", "doctor")


def test_a_healthy_stack_is_told_so(compose: Compose) -> None:
    walked = json.loads(compose(*DOCTOR, "https://nginx:8443", "--insecure", "--json", check=False))
    assert walked["exit_code"] == 0, walked


def test_sockets_without_a_server_are_missed(compose: Compose) -> None:
    compose("stop", "ws")
    try:
        walked = json.loads(compose(*DOCTOR, "https://nginx:8443", "--insecure", "--json", check=False))
        assert walked["exit_code"] in (15, 16), walked  # the 426, or the handshake
    finally:
        compose("up", "--detach", "--no-recreate", "--wait", "ws")
