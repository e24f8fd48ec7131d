"""The chat's units, as a host gets them, agree with each other, with nginx and with the servers."""

import os
import re
import runpy
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from channels_realtime import handover
from deploy import processes, render
from tests.host.sites import REPO, SITES, chat

SYSTEMD = "/etc/systemd/system/"
RENDERED = {path.removeprefix(SYSTEMD): text for path, text in render.render_host(chat()).items()}
SERVER = (REPO / "app" / "channels_realtime" / "server.py").read_text()
HOST = REPO / "nginx" / "targets" / "host"


def settings(name: str) -> dict[str, str]:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(RENDERED[name])
    return {key: value for section in parser.sections() for key, value in parser[section].items()}


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.M)
    assert found, pattern
    return float(found[1])


@pytest.mark.parametrize("name", ["parley-web.socket", "parley-ws@.socket"])
def test_a_socket_of_systemd_queues_as_many_clients_as_the_server_does(name: str) -> None:
    assert int(settings(name)["Backlog"]) == number(r"^BACKLOG = (\d+)", SERVER)


@pytest.mark.parametrize("name", ["parley-web.socket", "parley-ws@.socket"])
def test_nginx_connects_where_systemd_listens(name: str) -> None:
    path = settings(name)["ListenStream"].replace("%i", "1")
    assert f"server unix:{path} " in (HOST / "upstreams.conf").read_text()


def test_a_draining_server_is_not_killed() -> None:
    drain = number(r'"DRAIN_SECONDS", "(\d+)"', SERVER)
    assert int(settings("parley-ws@.service")["TimeoutStopSec"]) > 2 * drain + 2


def test_a_release_waits_longer_for_a_successor_than_its_predecessor_does() -> None:
    """So it learns why there is no successor, and a failed one has ended before the release before goes on."""
    assert handover.READY_TIMEOUT_SECONDS < processes.CHANGE_TIMEOUT_SECONDS


def test_a_successor_is_of_the_release_that_serves() -> None:
    """Its predecessor starts it by the path that it was started by itself."""
    unit = settings("parley-ws@.service")
    assert unit["ExecStart"].startswith("/opt/parley/current/deploy/run-in-release ")
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
    assert number(r"^LimitNOFILE=(\d+)", (REPO / "systemd" / "nginx.conf").read_text()) >= files
    assert files > 2 * number(r"^worker_connections (\d+)", (HOST / "events.conf").read_text())


@pytest.mark.parametrize("name", SITES)
def test_every_service_is_in_the_sandbox(name: str) -> None:
    """The sandbox applies to names with its folder's prefix; another unit would run as root and unrestricted."""
    site = SITES[name]
    files = render.render_host(site)
    assert f"User={site['user']}\n" in files[f"{SYSTEMD}{site['name']}-.service.d/10-sandbox.conf"]
    for path, text in files.items():
        if path.endswith(".service"):
            assert path.startswith(f"{SYSTEMD}{site['name']}-"), path
            assert "User=" not in text, path


def scripts_of(unit: str) -> set[str]:
    """The scripts of deploy/ that a unit starts."""
    return set(re.findall(r"/opt/[a-z-]+/(?:current|releases/%i)/deploy/([\w.-]+)", unit))


def test_every_script_that_a_unit_starts_is_there() -> None:
    started = set[str]().union(
        *(scripts_of(text) for site in SITES.values() for text in render.render_host(site).values())
    )
    assert started == {"run-in-release", "pre-release", "write-doctor-report", "backup", "restore", "gunicorn.conf.py"}
    for name in started - {"gunicorn.conf.py"}:
        assert os.access(REPO / "deploy" / name, os.X_OK), name


@pytest.mark.parametrize(
    ("former", "name"),
    [("in-release", "run-in-release"), ("watch", "write-doctor-report"), ("prepare", "pre-release")],
)
def test_a_unit_of_the_release_before_finds_its_script(former: str, name: str, tmp_path: Path) -> None:
    """After an upgrade such a unit may start this release, and a server of that release its successor."""
    (tmp_path / former).write_bytes((REPO / "deploy" / former).read_bytes())
    (tmp_path / name).write_text('#!/bin/sh\necho "$0" "$@"\n')
    for file in tmp_path.iterdir():
        file.chmod(0o755)
    ran = subprocess.run([tmp_path / former, "one", "two"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{tmp_path / name} one two\n"
    assert ran.stderr == f"deploy/{former} is now deploy/{name}\n"
    assert os.access(REPO / "deploy" / former, os.X_OK)
