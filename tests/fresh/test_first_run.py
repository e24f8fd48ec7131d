"""A clone, `make run`, the first page, Ctrl-C, on machines that never had Parley."""

import json
import time
from collections.abc import Callable

import pytest

from tests.fresh.hosts import Host

SECONDS_TO_FIRST_PAGE = 120

# The processes of Parley: their command line has the folder, or a server's name.
OURS = "ps -eo args | grep -E '[p]arley-clone|[r]ealtime.server|[g]unicorn|[n]ginx:|[r]edis-server' || true"
SERVICES = "for s in nginx redis-server; do systemctl is-active $s; systemctl is-enabled $s; done || true"

CURL = "curl --silent --insecure --http1.1"
HANDSHAKE = (
    f"{CURL} --include --max-time 3 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
    " -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Protocol: parley.v1'"
    " -H 'Origin: https://localhost:8443' https://localhost:8443/ws/ | head -1"
)


@pytest.mark.fresh
def test_make_run_on_a_bare_host(host: Host, record_property: Callable[[str, object], None]) -> None:
    assert_an_unprivileged_user_gets_the_command_to_type(host)

    sudo, folder = ("sudo ", "/root/parley-clone") if host.as_root else ("", "parley-clone")
    host.run(f"{sudo}git clone -q /tmp/parley.bundle {folder}")
    began = time.monotonic()
    terminal = host.terminal(f"{sudo}make --no-print-directory -C {folder} run")
    try:
        terminal.until(lambda line: "Parley is running" in line)
        page = host.run(f"{CURL} --fail https://localhost:8443/")
        seconds = time.monotonic() - began
        record_property("seconds_to_first_page", round(seconds, 1))
        assert "Parley" in page
        assert 'action="/guest/"' in page  # one page, one form

        # A plain request to the WebSocket address: daphne answers, and describes the request.
        body, _, status = host.run(f"{CURL} --write-out '\\n%{{http_code}}' https://localhost:8443/ws/").rpartition(
            "\n"
        )
        assert status == "426"
        assert (json.loads(body)["hop"], json.loads(body)["forwarded_proto"]) == ("asgi", "https")
        assert host.run(HANDSHAKE).startswith("HTTP/1.1 101 ")

        # The services of the packages are not started: Parley does not take their ports.
        assert host.run(SERVICES).split() == ["inactive", "disabled"] * 2
        assert len(host.run(OURS).splitlines()) >= 5
    finally:
        terminal.press_ctrl_c()
        terminal.end()
    assert "all stopped" in terminal.shown
    assert host.run(OURS) == ""
    assert seconds <= SECONDS_TO_FIRST_PAGE


def assert_an_unprivileged_user_gets_the_command_to_type(host: Host) -> None:
    host.run("id mallory 2>/dev/null || sudo useradd --create-home mallory")
    mallory = "sudo --user mallory --login"
    host.run(f"{mallory} git clone -q /tmp/parley.bundle parley-clone")
    output = host.run(f"{mallory} make -C parley-clone run 2>&1 || true")
    ours = [line for line in output.splitlines() if line.startswith("parley: ") and "installing" not in line]
    assert len(ours) == 1, output
    assert "Type: sudo sh deploy/bootstrap.sh install python3-venv nginx redis-server" in ours[0]
    host.run("sudo userdel --remove mallory 2>/dev/null")
