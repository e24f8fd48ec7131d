"""The recordings are played against one site, in any order: none may take an account from another."""

import json
from collections import Counter
from pathlib import Path
from typing import Any


def registered_accounts(steps: list[dict[str, Any]]) -> set[str]:
    """Return the accounts that a recording registers itself, which must not exist before."""
    return {step["body"]["username"] for step in steps if "/register/" in step.get("http", "")}


def accounts_with_a_cookie(steps: list[dict[str, Any]]) -> set[str]:
    """Return the accounts that are created because a recording opens a socket with their cookie."""
    opened = [step for step in steps if step.get("with", "").startswith("cookie")]
    return {step["with"].removeprefix("cookie").removeprefix(":") or step["opens"] for step in opened}


def test_an_account_that_a_recording_registers_occurs_in_no_other() -> None:
    recordings = [json.loads(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.json"))]
    registered = set().union(*map(registered_accounts, recordings))
    occurs_in = Counter(
        name for steps in recordings for name in registered_accounts(steps) | accounts_with_a_cookie(steps)
    )
    assert registered, "no recording registers an account"
    assert {name for name in registered if occurs_in[name] > 1} == set()
