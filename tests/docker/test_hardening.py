"""The running containers: what the kernel enforces, who can read which secret, and which ports are reachable."""

import socket

import pytest

from deploy.local.certificate import lan_address
from tests.docker.compose import Compose

PORTS = {"nginx": (8443, 8080), "web": (8000,), "ws": (8000,), "redis": (6379,), "postgres": (5432,)}
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


@pytest.fixture
def stranger(compose: Compose):
    """Another container of this machine, outside of the stack."""
    image = compose.environment["SITE_IMAGE"]
    serve = ("--entrypoint", "python", image, "-m", "http.server", "--directory", "/srv", "8000")
    found = compose.docker("run", "--rm", "--detach", "--init", *serve)
    yield found
    compose.docker("rm", "--force", found)


def addresses(compose: Compose, service: str) -> list[str]:
    (container,) = compose.inspect(*compose.containers(service))
    return [network["IPAddress"] for network in container["NetworkSettings"]["Networks"].values()]


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def status(compose: Compose, container: str) -> dict[str, str]:
    """/proc/PID/status of the first process that is not the container's init."""
    pid = compose.docker("top", container, "-eo", "pid,ppid").splitlines()[2].split()[0]
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


@pytest.mark.parametrize("service", PORTS)
def test_no_process_has_a_capability_of_the_kernel(compose: Compose, service: str) -> None:
    (container,) = compose.containers(service)
    process = status(compose, container)
    assert int(process["Uid"].split()[0]) > 0
    for held in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(process[held], 16) == 0, held
    assert process["NoNewPrivs"] == "1"
    assert "Read-only" in compose("exec", "-T", service, "sh", "-c", "touch /usr/it /etc/it 2>&1 || true")


def test_who_is_outside_reaches_two_ports_of_nginx_and_nothing_else(compose: Compose) -> None:
    outside = ["127.0.0.1", *([lan] if (lan := lan_address()) else [])]
    for host in outside:
        assert answers(host, compose.https_port)
        assert answers(host, compose.http_port)
    published = {
        (service, int(bound["HostPort"]))
        for service in PORTS
        for container in compose.inspect(*compose.containers(service))
        for bindings in container["NetworkSettings"]["Ports"].values()
        for bound in bindings or ()
    }
    assert published == {("nginx", compose.https_port), ("nginx", compose.http_port)}


def test_another_container_reaches_none_of_them(compose: Compose, stranger: str) -> None:
    for service, ports in PORTS.items():
        for address in addresses(compose, service):
            for port in ports:
                # From the network of their own the same line connects, so it is the way there that is closed.
                if service != "nginx":
                    near = compose("exec", "-T", "web", "python", "-c", CONNECT, address, str(port), check=False)
                    assert near == ""
                reached = compose.run(
                    "docker",
                    "exec",
                    stranger,
                    "python",
                    "-c",
                    CONNECT + "; print('in')",
                    address,
                    str(port),
                    check=False,
                )
                assert reached == "", f"{service} answers at {address}:{port}"


def test_nginx_cannot_reach_the_data(compose: Compose) -> None:
    probe = "for h in redis postgres; do getent hosts $h && echo found; done; true"
    assert compose("exec", "-T", "nginx", "sh", "-c", probe) == ""
    assert compose("exec", "-T", "web", "getent", "hosts", "redis", "postgres").count("\n") == 1  # they have such names


def test_the_application_cannot_reach_the_world(compose: Compose, stranger: str) -> None:
    (there,) = compose.inspect(stranger)
    address = there["NetworkSettings"]["IPAddress"]
    connect = ("python", "-c", CONNECT + "; print('out')", address, "8000")
    while compose.run("docker", "exec", stranger, *connect, check=False) != "out":
        assert compose.inspect(stranger)[0]["State"]["Running"]  # its Python is still starting
    for service in ("web", "ws"):
        assert compose("exec", "-T", service, *connect, check=False) == ""


def test_each_secret_is_read_by_the_one_that_needs_it(compose: Compose) -> None:
    def seen(service: str) -> set[str]:
        find = "find /run/secrets /made /etc/nginx/tls -type f -not -path '/made/doctor/*' 2>/dev/null || true"
        return {path.rsplit("/", 1)[1] for path in compose("exec", "-T", service, "sh", "-c", find).split()}

    assert seen("web") == seen("ws") == {"SECRET_KEY", "DATABASE_URL"}
    assert seen("postgres") == {"password"}
    assert seen("nginx") == {"fullchain.pem", "privkey.pem"}
    assert seen("redis") == set()
    for service, path in (("web", "/run/secrets/SECRET_KEY"), ("nginx", "/etc/nginx/tls/privkey.pem")):
        assert compose("exec", "-T", service, "stat", "-c", "%A", path).endswith("---"), "others may read it"
