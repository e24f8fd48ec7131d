"""Reads the rules of a host's firewall: `closing_tables`."""

import json
import re
from typing import Any

# Programs that add and remove rules by themselves. Their tables refuse single clients or serve containers.
MANAGED_TABLES = re.compile(r"f2b|docker|libvirt|podman|netavark", re.IGNORECASE)
# Parts of a rule that do not limit it to some packets.
ALWAYS_TRUE = {"counter", "log", "limit"}
VERDICTS = {"drop", "reject"}


def closing_tables(ruleset: str, own_table: str, legacy_rules: str = "") -> list[str]:
    """Return the tables that refuse every connection which no rule of theirs accepts, such as "inet filter".

    Args:
        ruleset: what `nft --json list ruleset` printed; "" where nft is not installed.
        own_table: the name of the stack's own table, which does not count.
        legacy_rules: what `iptables-legacy --list-rules INPUT` printed; "" where it has no rules.
    """
    items = json.loads(ruleset)["nftables"] if ruleset.strip() else []
    inputs = {
        (chain["family"], chain["table"], chain["name"]): chain
        for chain in (item["chain"] for item in items if "chain" in item)
        if chain.get("hook") == "input" and chain.get("type") == "filter"
    }
    closing = {key[:2] for key, chain in inputs.items() if chain.get("policy") == "drop"}
    for rule in (item["rule"] for item in items if "rule" in item):
        if (rule["family"], rule["table"], rule["chain"]) in inputs and refuses_everything(rule["expr"]):
            closing.add((rule["family"], rule["table"]))
    found = [
        f"{family} {table}"
        for family, table in sorted(closing)
        if table != own_table and not MANAGED_TABLES.search(table)
    ]
    if re.search(r"^-P INPUT DROP$|^-A INPUT -j (DROP|REJECT)\b", legacy_rules, re.MULTILINE):
        found.append("iptables-legacy filter")
    return found


def refuses_everything(expressions: list[Any]) -> bool:
    """Return whether a rule, as nft writes its expressions in JSON, refuses every packet that reaches it."""
    names = {name_expression(expression) for expression in expressions}
    return bool(names & VERDICTS) and names <= VERDICTS | ALWAYS_TRUE


def name_expression(expression: dict[str, Any]) -> str:
    """Return the name of an expression; of a target of iptables, such as REJECT, that of the target in lower case."""
    target = expression.get("xt")
    return target["name"].lower() if target else next(iter(expression))
