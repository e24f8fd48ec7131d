"""What the host has to reach: DNS, the certificate authority, the package index, apt's sources, a proxy."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.preflight.host import network
from deploy.preflight.host.network import check_connections, find_package_index, find_proxy, list_destinations
from deploy.preflight.plan import Plan
from tests.preflight.conftest import write


@pytest.fixture
def server() -> Iterator[str]:
    """HOST:PORT of a server that listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own proxies are not what is tested."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bare(root: Path) -> Path:
    """A host whose apt has no sources, so that nothing outside this machine is asked."""
    (root / "etc/apt/sources.list").unlink()
    return root


@pytest.fixture
def closed() -> str:
    """HOST:PORT at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


def test_an_authority_that_is_reached_is_no_finding(plan: Plan, bare: Path, server: str) -> None:
    assert list(check_connections(replace(plan, authority=server, package_index=server), bare)) == []


def test_an_authority_that_is_not_reached_is_a_stop(plan: Plan, bare: Path, server: str, closed: str) -> None:
    (found,) = check_connections(replace(plan, authority=closed, package_index=server), bare)
    assert found.severity == "stop"
    assert found.subject == "certificate authority"
    assert "connection refused" in found.sentence


def test_a_name_that_is_not_resolved_is_one_stop_for_all_names(plan: Plan, bare: Path) -> None:
    plan = replace(plan, authority="authority.invalid:443", package_index="index.invalid:443")
    (found,) = check_connections(plan, bare)
    assert found.subject == "dns"
    assert "authority.invalid, index.invalid" in found.sentence


def test_a_database_elsewhere_is_reached_or_a_stop(plan: Plan, bare: Path, server: str, closed: str) -> None:
    assert list(check_connections(replace(plan, database_host=server), bare)) == []
    (found,) = check_connections(replace(plan, database_host=closed), bare)
    assert found.subject == "database"


def test_behind_a_proxy_only_the_proxy_is_asked(
    plan: Plan, bare: Path, server: str, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{server}")
    assert list(check_connections(replace(plan, authority=closed), bare)) == []


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://user:word@proxy.example.org:3128"}, ("proxy.example.org", 3128)),
        ({"all_proxy": "proxy.example.org:8080"}, ("proxy.example.org", 8080)),
        ({"http_proxy": "http://proxy.example.org"}, None),
    ],
)
def test_the_proxy_is_that_of_https(variables: dict[str, str], proxy: tuple[str, int] | None) -> None:
    assert find_proxy(variables) == proxy


def test_the_hosts_own_package_index_counts(plan: Plan, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(plan, package_index="index.example.org:443")
    assert find_package_index(plan, root) == "index.example.org:443"
    write(root / "etc/pip.conf", "[global]\nindex-url = http://mirror.example.org:8081/simple\n")
    assert find_package_index(plan, root) == "mirror.example.org:8081"
    write(root / "etc/pip.conf", "[global]\nindex-url = file:///srv/wheels\n")
    assert find_package_index(plan, root) == ""


def test_the_sources_of_apt_are_asked(plan: Plan, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "run_program", lambda *_, **__: "")
    write(root / "etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: https://mirror.example.org/debian\n")
    found = [destination for destination in list_destinations(plan, root) if destination[0] == "Debian packages"]
    assert found == [("Debian packages", "mirror.example.org", 443), ("Debian packages", "packages.example.org", 80)]
    proxy = 'Acquire::http::Proxy "http://cache.example.org:3142";'
    monkeypatch.setattr(network, "run_program", lambda *_, **__: proxy)
    found = [destination for destination in list_destinations(plan, root) if destination[0] == "Debian packages"]
    assert found == [("Debian packages", "cache.example.org", 3142)]
