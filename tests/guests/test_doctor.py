"""The doctor examines a guest by its stack.toml, and names the channel layer where that fails."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.guests.conftest import Enter
from tests.guests.site import GuestSite
from tests.nginx.served import until
from tests.running import REPO

# Without these a channel layer carries no message, and PING is answered.
LAYER_COMMANDS = ("publish", "subscribe", "zadd", "bzpopmin", "eval", "evalsha")


def examine(site: GuestSite, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "deploy.cli", "doctor", f"{site.url}/chat/", "--json", "--insecure"]
    command += ["--ws-path", "/ws/chat/lobby/", "--private-ports", "", *options]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == report["exit_code"], done.stderr
    return report


@contextmanager
def forbid(socket: str, commands: tuple[str, ...]) -> Iterator[None]:
    """Take the right to these commands from every client of a Redis."""

    def set_rights(sign: str) -> None:
        rules = [f"{sign}{command}" for command in commands]
        subprocess.run(
            ["redis-cli", "-s", socket, "acl", "setuser", "default", *rules], check=True, capture_output=True
        )

    set_rights("-")
    try:
        yield
    finally:
        set_rights("+")


@pytest.mark.guests("notifications")
async def test_the_doctor_tells_a_visitor_without_a_session_from_a_refused_origin(
    site: GuestSite, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*options: str) -> tuple[str | None, str, set[str]]:
        report = examine(site, "--ws-path", "/ws/notices/", *options)
        websocket = next(hop for hop in report["hops"] if hop["hop"] == "WebSocket")
        return report["broken"], websocket["state"], {found["cause"] for found in websocket["findings"]}

    assert find() == (None, "unknown", {"visitor-is-refused"})
    assert find("--origin", "https://stranger.invalid") == ("WebSocket", "broken", {"origin-is-refused"})
    alice = await enter("alice")
    monkeypatch.setenv("DOCTOR_OPTIONS", f"--cookie=sessionid={alice.browser.cookies['sessionid']}")
    assert find() == (None, "ok", set())


@pytest.mark.guests("tutorial")
def test_0_the_channel_layer_carries_no_message(site: GuestSite) -> None:
    if "redis" not in site.sockets:
        pytest.skip("the site's Redis is not on this machine")
    healthy = examine(site)
    layer = next(hop for hop in healthy["hops"] if hop["hop"] == "layer")
    assert (healthy["broken"], layer["note"]) == (None, "Redis answers, and a message passes the channel layer")
    with forbid(site.sockets["redis"], LAYER_COMMANDS):
        broken = examine(site)
    (finding,) = [found for hop in broken["hops"] for found in hop["findings"] if not found["warning"]]
    assert (broken["broken"], broken["exit_code"], finding["cause"]) == ("layer", 18, "channel-layer-fails")
    assert "/readyz: " in finding["seen"]
    until(lambda: examine(site)["broken"] is None)
