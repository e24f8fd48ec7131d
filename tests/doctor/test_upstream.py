"""Causes between nginx and any server behind it, which break pages and WebSockets alike."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.acceptance.conftest import resolving
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.network_fakes import Relay, serve_names
from tests.nginx.served import free_ports, until
from tests.running import REPO, Stack

DENIED = f"{sys.executable} {Path(__file__).with_name('deny_connect.py')}"
PAGES = "proxy_pass http://$web_servers;"


@pytest.fixture
def selinux_enforcing(tmp_path: Path) -> Iterator[None]:
    """The host has an SELinux that is enforcing."""
    (tmp_path / "getenforce").write_text("#!/bin/sh\necho Enforcing\n")
    (tmp_path / "getenforce").chmod(0o755)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"):
        yield


def test_15_selinux_forbids_pages(start_nginx: StartNginx, doctor: Doctor, selinux_enforcing: None) -> None:
    found = doctor.on_host(start_nginx(wrapper=DENIED))
    assert (found.hop, found.cause) == ("HTTP", "selinux-forbids")
    assert "13: Permission denied" in found.evidence


def test_15_selinux_forbids_sockets(start_nginx: StartNginx, doctor: Doctor, selinux_enforcing: None) -> None:
    found = doctor.on_host(start_nginx({"sites/site.conf": [(PAGES, "return 200 hello;")]}, wrapper=DENIED))
    assert (found.hop, found.cause) == ("426", "selinux-forbids")


def test_15_without_selinux_the_cause_is_another(start_nginx: StartNginx, doctor: Doctor) -> None:
    assert doctor.on_host(start_nginx(wrapper=DENIED)).cause == "gunicorn-is-down"


OLD, NEW = "127.0.0.2", "127.0.0.3"


@pytest.mark.parametrize(("upstream", "socket_file", "hop"), [("web", "web", "HTTP"), ("ws", "ws1", "426")])
def test_37_the_container_has_moved(
    start_nginx: StartNginx, doctor: Doctor, stack: Stack, upstream: str, socket_file: str, hop: str
) -> None:
    (port,) = free_ports(1)
    server = f"{stack.folder}/var/run/{socket_file}.sock"
    with serve_names(OLD) as dns:
        mapping = f"default {upstream};"
        resolver = f"resolver 127.0.0.1:{dns} valid=1h ipv6=off;\n"
        nginx = start_nginx(
            {
                "target/upstreams.conf": [
                    (mapping, f"default container.test:{port};"),
                    ("upstream web", resolver + "upstream web"),
                ]
            }
        )
        before = Relay(server, OLD, port)
        with mock.patch.object(socket, "getaddrinfo", resolving("container.test", OLD)):
            assert doctor.on_host(nginx).hop is None
        before.stop()
        after = Relay(server, NEW, port)
        with mock.patch.object(socket, "getaddrinfo", resolving("container.test", NEW)):
            found = doctor.on_host(nginx)
        after.stop()
    assert (found.hop, found.cause) == (hop, "container-has-moved")
    assert f"nginx asks {OLD}; container.test is {NEW} now" in found.evidence


def test_37_a_container_that_is_down_has_not_moved(start_nginx: StartNginx, doctor: Doctor) -> None:
    (port,) = free_ports(1)
    with serve_names(OLD) as dns, mock.patch.object(socket, "getaddrinfo", resolving("container.test", OLD)):
        edits = [
            ("default ws;", f"default container.test:{port};"),
            ("upstream web", f"resolver 127.0.0.1:{dns} ipv6=off;\nupstream web"),
        ]
        assert doctor.on_host(start_nginx({"target/upstreams.conf": edits})).cause == "daphne-is-down"


def test_39_the_control_socket_has_no_home(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    log = tmp_path / "gunicorn.log"
    command = [sys.executable, "-m", "gunicorn", "-b", f"unix:{tmp_path}/g.sock", "wsgiref.simple_server:demo_app"]
    environment = {"HOME": "/proc/1", "PATH": os.environ["PATH"]}  # no process can make a folder there
    with log.open("wb") as output:
        gunicorn = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=REPO)
    try:
        until(lambda: "Control server error" in log.read_text())
    finally:
        gunicorn.terminate()
        gunicorn.wait()
    found = doctor.on_host(start_nginx(), "--log", str(log))
    assert found.exit_code == 0
    assert "/.gunicorn" in found.warnings["control-socket-has-no-home"]


def test_29_worker_connections_are_used_up(start_nginx: StartNginx, doctor: Doctor) -> None:
    """At first nginx has a connection for the visitor and none for gunicorn, then none at all."""
    full = start_nginx({"target/events.conf": [("worker_connections ", "worker_connections 16; # ")]})
    found = []
    with contextlib.ExitStack() as held:
        while len(found) < 20 and (not found or found[-1].hop != "TLS"):
            held.enter_context(full.begin_tls())
            found.append(doctor.on_host(full))
    assert (found[-1].hop, found[-1].cause) == ("TLS", "connections-exhausted")
    earlier = next(diagnosis for diagnosis in found if diagnosis.hop == "HTTP")
    assert earlier.cause == "connections-run-out"
    assert "worker_connections are not enough" in earlier.evidence
