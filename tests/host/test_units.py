"""What the units of systemd/ promise each other, nginx and the servers."""

import re
import runpy
from configparser import RawConfigParser
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
UNITS = REPO / "systemd"
SERVER = (REPO / "app" / "realtime" / "server.py").read_text()
HOST = REPO / "nginx" / "targets" / "host"


def settings(name: str) -> dict[str, str]:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return {key: value for section in parser.sections() for key, value in parser[section].items()}


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.M)
    assert found, pattern
    return float(found[1])


@pytest.mark.parametrize("name", ["parley-web.socket", "parley-ws@.socket"])
def test_as_many_may_wait_at_a_socket_as_the_server_says(name: str) -> None:
    assert int(settings(name)["Backlog"]) == number(r"^BACKLOG = (\d+)", SERVER)


@pytest.mark.parametrize("name", ["parley-web.socket", "parley-ws@.socket"])
def test_nginx_knocks_where_systemd_listens(name: str) -> None:
    path = settings(name)["ListenStream"].replace("%i", "1")
    assert f"server unix:{path} " in (HOST / "upstreams.conf").read_text()


def test_a_draining_server_is_not_killed() -> None:
    drain = number(r'"DRAIN_SECONDS", "(\d+)"', SERVER)
    assert int(settings("parley-ws@.service")["TimeoutStopSec"]) > 2 * drain + 2


def test_a_release_waits_longer_for_a_successor_than_its_predecessor_does() -> None:
    """So it hears why there is none, and that one is ended before the release before serves on."""
    patience = number(r"^PATIENCE = (\d+)", (REPO / "app" / "realtime" / "handover.py").read_text())
    assert patience < number(r"^PATIENCE = (\d+)", (REPO / "deploy" / "processes.py").read_text())


def test_a_successor_is_of_the_release_that_serves() -> None:
    """It is started by the path that its predecessor was."""
    unit = settings("parley-ws@.service")
    assert unit["ExecStart"].startswith("/opt/parley/current/deploy/in-release ")
    assert "kill -HUP $MAINPID" in unit["ExecReload"]


def test_a_request_that_has_begun_is_finished() -> None:
    gunicorn = runpy.run_path(str(REPO / "deploy" / "gunicorn.conf.py"))
    assert int(settings("parley-web.service")["TimeoutStopSec"]) > gunicorn["graceful_timeout"]


def test_a_stuck_server_is_back_within_ten_seconds() -> None:
    unit = settings("parley-ws@.service")
    start = 2  # seconds, measured
    assert int(unit["WatchdogSec"]) + int(unit["TimeoutAbortSec"]) + start < 10


def test_nginx_may_open_what_it_asks_for() -> None:
    files = number(r"^worker_rlimit_nofile (\d+)", (HOST / "main.conf").read_text())
    assert int(settings("nginx.service.d/parley.conf")["LimitNOFILE"]) >= files
    assert files > 2 * number(r"^worker_connections (\d+)", (HOST / "events.conf").read_text())


def test_what_looks_at_the_secrets_is_in_the_sandbox() -> None:
    """The folder's name is a prefix; a unit with another name would run as root and with everything open."""
    for unit in UNITS.glob("*.service"):
        assert unit.name.startswith("parley-"), unit
        assert "User" not in settings(unit.name), unit
