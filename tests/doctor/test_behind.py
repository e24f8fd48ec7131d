"""Rows of the catalogue between nginx and any server behind it: pages are lost as well as sockets."""

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
from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.relay import Relay, name_server
from tests.nginx.served import free_ports, until
from tests.running import REPO, Stack

FORBIDDEN = f"{sys.executable} {Path(__file__).with_name('forbidden.py')}"
PAGES = "proxy_pass http://$web_servers;"


@pytest.fixture
def enforcing(tmp_path: Path) -> Iterator[None]:
    """What a machine with SELinux says of itself."""
    (tmp_path / "getenforce").write_text("#!/bin/sh\necho Enforcing\n")
    (tmp_path / "getenforce").chmod(0o755)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"):
        yield


def test_15_selinux_forbids_pages(front: Fronted, doctor: Doctor, enforcing: None) -> None:
    found = doctor.inside(front(under=FORBIDDEN))
    assert (found.hop, found.cause) == ("HTTP", "selinux-forbids")
    assert "13: Permission denied" in found.evidence


def test_15_selinux_forbids_sockets(front: Fronted, doctor: Doctor, enforcing: None) -> None:
    found = doctor.inside(front({"sites/parley.conf": [(PAGES, "return 200 hello;")]}, under=FORBIDDEN))
    assert (found.hop, found.cause) == ("426", "selinux-forbids")


def test_15_without_selinux_it_is_not_blamed(front: Fronted, doctor: Doctor) -> None:
    assert doctor.inside(front(under=FORBIDDEN)).cause == "gunicorn-is-down"


OLD, NEW = "127.0.0.2", "127.0.0.3"


@pytest.mark.parametrize(("upstream", "socket_file", "hop"), [("web", "web", "HTTP"), ("ws", "ws1", "426")])
def test_37_the_container_has_moved(
    front: Fronted, doctor: Doctor, stack: Stack, upstream: str, socket_file: str, hop: str
) -> None:
    (port,) = free_ports(1)
    server = f"{stack.folder}/var/run/{socket_file}.sock"
    with name_server(OLD) as dns:
        group = f"default {upstream};"
        named = f"resolver 127.0.0.1:{dns} valid=1h ipv6=off;\n"
        here = front(
            {
                "target/upstreams.conf": [
                    (group, f"default container.test:{port};"),
                    ("upstream web", named + "upstream web"),
                ]
            }
        )
        before = Relay(server, OLD, port)
        with mock.patch.object(socket, "getaddrinfo", resolving("container.test", OLD)):
            assert doctor.inside(here).hop is None
        before.end()
        after = Relay(server, NEW, port)
        with mock.patch.object(socket, "getaddrinfo", resolving("container.test", NEW)):
            found = doctor.inside(here)
        after.end()
    assert (found.hop, found.cause) == (hop, "container-has-moved")
    assert f"nginx asks {OLD}; container.test is {NEW} now" in found.evidence


def test_37_a_container_that_is_down_has_not_moved(front: Fronted, doctor: Doctor) -> None:
    (port,) = free_ports(1)
    with name_server(OLD) as dns, mock.patch.object(socket, "getaddrinfo", resolving("container.test", OLD)):
        edits = [
            ("default ws;", f"default container.test:{port};"),
            ("upstream web", f"resolver 127.0.0.1:{dns} ipv6=off;\nupstream web"),
        ]
        assert doctor.inside(front({"target/upstreams.conf": edits})).cause == "daphne-is-down"


def test_39_the_control_socket_has_no_home(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    log = tmp_path / "gunicorn.log"
    words = [sys.executable, "-m", "gunicorn", "-b", f"unix:{tmp_path}/g.sock", "wsgiref.simple_server:demo_app"]
    homeless = {"HOME": "/proc/1", "PATH": os.environ["PATH"]}  # nobody can make a folder there
    with log.open("wb") as said:
        gunicorn = subprocess.Popen(words, env=homeless, stdout=said, stderr=said, cwd=REPO)
    try:
        until(lambda: "Control server error" in log.read_text())
    finally:
        gunicorn.terminate()
        gunicorn.wait()
    found = doctor.inside(front(), "--log", str(log))
    assert found.code == 0
    assert "/.gunicorn" in found.warnings["control-socket-has-no-home"]


def test_29_worker_connections_are_used_up(front: Fronted, doctor: Doctor) -> None:
    """First there is one for the visitor and none for the way to gunicorn, then none at all."""
    full = front({"target/events.conf": [("worker_connections ", "worker_connections 16; # ")]})
    found = []
    with contextlib.ExitStack() as held:
        while len(found) < 20 and (not found or found[-1].hop != "TLS"):
            held.enter_context(full.begun())
            found.append(doctor.inside(full))
    assert (found[-1].hop, found[-1].cause) == ("TLS", "connections-exhausted")
    before = next(one for one in found if one.hop == "HTTP")
    assert before.cause == "connections-run-out"
    assert "worker_connections are not enough" in before.evidence
