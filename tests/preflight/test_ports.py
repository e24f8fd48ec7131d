"""A program at a port of nginx is named with its pid; the host's own nginx is none."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.preflight.host.network import check_ports, has_ipv6
from deploy.preflight.host.proc import Listener, list_listeners
from deploy.preflight.plan import Plan


@pytest.fixture(params=["127.0.0.1", "::1"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port at which this process listens."""
    with socket.create_server(
        (request.param, 0), family=socket.AF_INET6 if ":" in request.param else socket.AF_INET
    ) as s:
        yield s.getsockname()[1]


def test_a_port_in_use_is_named_with_its_program_and_pid(plan: Plan, port: int) -> None:
    (found,) = check_ports(replace(plan, ports=(port,)))
    assert found.severity == "stop"
    assert found.subject == f"port {port}"
    assert f"(pid {os.getpid()}" in found.sentence


def test_the_address_of_a_listener_is_read(port: int) -> None:
    (found,) = [listener for listener in list_listeners() if listener.port == port]
    assert found.address in ("127.0.0.1", "::1")


def test_a_free_port_is_no_finding(plan: Plan) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert list(check_ports(replace(plan, ports=(port,)))) == []


def listener(program: str, unit: str, port: int = 80, pid: int = 812) -> Listener:
    return Listener("0.0.0.0", port, program, pid, unit)


def test_the_hosts_own_nginx_keeps_its_ports(plan: Plan) -> None:
    assert list(check_ports(plan, lambda: [listener("nginx", "nginx.service")])) == []


def test_a_program_at_two_ports_is_one_finding(plan: Plan) -> None:
    (found,) = check_ports(plan, lambda: [listener("apache2", "apache2.service", port) for port in (443, 80)])
    assert found.subject == "ports 80, 443"
    assert found.sentence == "apache2 (pid 812, apache2.service) listens at ports 80, 443, which nginx needs."
    assert "systemctl disable --now apache2.service" in found.fix


@pytest.mark.parametrize(
    ("program", "unit", "advice"),
    [
        ("docker-proxy", "docker.service", "docker ps"),
        ("nginx", "session-4.scope", "Start that nginx as nginx.service"),
        ("python3", "session-4.scope", "kill 812"),
    ],
)
def test_the_advice_fits_the_program(plan: Plan, program: str, unit: str, advice: str) -> None:
    (found,) = check_ports(plan, lambda: [listener(program, unit)])
    assert advice in found.fix


def test_ipv6_is_what_the_kernel_says() -> None:
    try:
        socket.socket(socket.AF_INET6).close()
        expected = True
    except OSError:
        expected = False
    assert has_ipv6() is expected
