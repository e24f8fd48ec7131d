"""What the operator's machine sees: the clock, the site's name, and ports that a firewall filters."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.preflight.finding import HostFacts
from deploy.preflight.login import Connection
from deploy.preflight.outside import (
    Endpoint,
    check_clock,
    check_name,
    check_reachable,
    probe_port,
    resolve_destination,
    resolve_name,
)
from deploy.preflight.plan import Plan

HOST, OTHER, PRIVATE = "93.184.216.34", "8.8.8.8", "10.0.0.4"
FACTS = HostFacts(time=1000.0, addresses=[PRIVATE], ipv6=True, firewall="")


@pytest.fixture
def public(plan: Plan) -> Plan:
    """A plan with the public certificate authority."""
    return replace(plan, authority_is_public=True)


@pytest.mark.parametrize(
    ("difference", "words"),
    [(0, ""), (50, ""), (-50, ""), (7200, "2 hours ahead of"), (-259200, "3 days behind"), (90, "2 minutes ahead of")],
)
def test_a_wrong_clock_is_a_stop(difference: float, words: str) -> None:
    found = list(check_clock(FACTS, FACTS["time"] - difference))
    assert [finding.severity for finding in found] == (["stop"] if words else [])
    assert all(words in finding.sentence for finding in found)


@pytest.mark.parametrize(
    ("addresses", "severity", "words"),
    [
        ([HOST], "", ""),
        ([], "stop", f"A record of shop.example.org with the host's address, {HOST}"),
        ([OTHER], "stop", f"leads to {OTHER}, and the host is {HOST}"),
        ([HOST, "2001:4860::1"], "stop", "leads to 2001:4860::1 as well"),
        ([HOST, OTHER], "note", f"leads to {OTHER}"),
    ],
)
def test_the_name_has_to_lead_to_the_host(public: Plan, addresses: list[str], severity: str, words: str) -> None:
    found = list(check_name(public, FACTS, [HOST], lambda _: addresses))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all(words in f"{finding.sentence} {finding.fix}" for finding in found)


def test_a_host_that_knows_its_private_address_alone_gets_a_note(public: Plan) -> None:
    (found,) = check_name(public, FACTS, [PRIVATE], lambda _: [HOST])
    assert found.severity == "note"


def test_a_name_that_leads_to_the_proxy_of_the_site_is_a_note(public: Plan) -> None:
    (found,) = check_name(replace(public, has_proxy=True), FACTS, [HOST], lambda _: [OTHER])
    assert (found.severity, found.fix) == ("note", "If that is not your proxy, correct the records.")


def test_a_private_authority_may_know_another_dns(plan: Plan) -> None:
    assert list(check_name(plan, FACTS, [HOST], lambda _: [])) == []


def answering(**ports: str) -> "dict[int, str]":
    return {int(port.removeprefix("p")): answer for port, answer in ports.items()}


@pytest.mark.parametrize(
    ("answers", "subject"),
    [
        (answering(p22="open", p80="refused", p443="refused"), ""),
        (answering(p22="open", p80="open", p443="open"), ""),
        (answering(p22="open", p80="filtered", p443="refused"), "port 80"),
        (answering(p22="open", p80="filtered", p443="filtered"), "ports 80, 443"),
        (answering(p22="filtered", p80="filtered", p443="filtered"), ""),  # nothing can be said from here
    ],
)
def test_a_filtered_port_is_a_stop(plan: Plan, answers: dict[int, str], subject: str) -> None:
    endpoint = Endpoint(HOST, 22, is_direct=True)
    found = list(check_reachable(plan, FACTS, endpoint, lambda _: [HOST], lambda _, port: answers[port]))
    assert [finding.subject for finding in found] == ([subject] if subject else [])


@pytest.mark.parametrize(("is_direct", "firewall"), [(False, ""), (True, "ufw")])
def test_behind_a_jump_host_or_where_the_deployment_opens_the_ports_nothing_is_said(
    plan: Plan, is_direct: bool, firewall: str
) -> None:
    facts = HostFacts(time=0, addresses=[], ipv6=True, firewall=firewall)
    endpoint = Endpoint(HOST, 22, is_direct)
    probe = {22: "open", 80: "filtered", 443: "filtered"}
    assert list(check_reachable(plan, facts, endpoint, lambda _: [HOST], lambda _, port: probe[port])) == []


def test_a_port_is_open_or_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probe_port("127.0.0.1", port) == "open"
    assert probe_port("127.0.0.1", port) == "refused"


def test_a_name_without_addresses_has_none() -> None:
    assert resolve_name("shop.invalid") == []
    assert "127.0.0.1" in resolve_name("localhost")


def test_an_alias_of_ssh_leads_to_its_address(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host web\n  HostName 203.0.113.7\n  Port 2222\nHost inner\n  HostName 10.0.0.4\n  ProxyJump web\n"
    )
    connection = Connection(host="web", user="", port=None, options=f"-F {config}")
    assert resolve_destination(connection) == Endpoint("203.0.113.7", 2222, is_direct=True)
    assert resolve_destination({**connection, "host": "inner"}) == Endpoint("10.0.0.4", 22, is_direct=False)
    assert resolve_destination({**connection, "port": 22}).port == 22
