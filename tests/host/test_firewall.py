"""Which tables of a host refuse connections: nft itself loads the rules and lists them, in a network of their own."""

import shutil
import subprocess

import pytest

from deploy.firewall_rules import closing_tables

NFT = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin") or "nft"


def list_rules(rules: str) -> str:
    """Return what `nft --json list ruleset` prints where these rules are loaded."""
    script = f"{NFT} -f - && {NFT} --json list ruleset"
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", script]
    return subprocess.run(command, input=rules, capture_output=True, text=True, check=True).stdout


def input_chain(table: str, *lines: str, policy: str = "accept") -> str:
    """Return the text of a table with one chain for what comes in."""
    rules = "\n".join(lines)
    return f"""table {table} {{
        set clients {{ type ipv4_addr; elements = {{ 203.0.113.9 }}; }}
        chain input {{ type filter hook input priority filter; policy {policy};
        {rules}
        }}
    }}"""


@pytest.mark.parametrize(
    ("rules", "closing"),
    [
        ("", []),
        (input_chain("inet filter"), []),
        (input_chain("inet mine", "tcp dport 22 accept", policy="drop"), ["inet mine"]),
        (input_chain("ip mine", "tcp dport 22 accept", "counter drop"), ["ip mine"]),
        (input_chain("inet mine", "tcp dport 22 accept", "reject with icmpx admin-prohibited"), ["inet mine"]),
        (input_chain("inet mine", "tcp dport 25 drop"), []),  # one port only
        (input_chain("inet f2b-table", "ip saddr @clients reject"), []),
        (input_chain("inet f2b-table", policy="drop"), []),  # fail2ban's own
        (input_chain("inet stack", policy="drop"), []),  # the table of the stack
        (input_chain("inet stack", policy="drop") + "\n" + input_chain("ip mine", policy="drop"), ["ip mine"]),
    ],
)
def test_a_table_that_refuses_what_it_does_not_accept_is_found(rules: str, closing: list[str]) -> None:
    assert closing_tables(list_rules(rules), "stack") == closing


def test_a_reject_of_iptables_is_found() -> None:
    # nft 1.0.6 lists `iptables-nft -A INPUT -j REJECT` in this way.
    listed = """{"nftables": [{"metainfo": {"version": "1.0.6"}},
    {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "type": "filter", "hook": "input",
        "policy": "accept"}},
    {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "expr": [
        {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "REJECT"}}]}}]}"""
    assert closing_tables(listed, "stack") == ["ip filter"]


@pytest.mark.parametrize(
    ("legacy", "closing"),
    [
        ("", []),
        ("-P INPUT ACCEPT", []),
        ("-P INPUT DROP\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", ["iptables-legacy filter"]),
        ("-P INPUT ACCEPT\n-A INPUT -j REJECT --reject-with icmp-port-unreachable", ["iptables-legacy filter"]),
        ("-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 25 -j DROP", []),
    ],
)
def test_rules_of_the_older_iptables_are_read(legacy: str, closing: list[str]) -> None:
    assert closing_tables("", "stack", legacy) == closing
