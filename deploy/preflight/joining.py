"""Joins what the variables, the login, the host and the operator's machine say: `join`."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

from deploy.preflight import outside
from deploy.preflight.finding import Finding, HostReport, Packed, stop
from deploy.preflight.login import Connection, Login, explain_login
from deploy.preflight.plan import Plan
from deploy.preflight.report import draw_report, join_findings


class Answers(TypedDict):
    """What `report` reads."""

    packed: Packed
    login: Login
    connection: Connection
    host: str
    """What the archive printed on the host; "" where it did not run."""
    error: str
    """What went wrong when it ran."""
    asked_at: float
    """This machine's clock when the host had answered, in seconds since 1970; 0: now."""


class Verdict(TypedDict):
    """What `report` prints."""

    text: str
    """The report for people."""
    stops: int
    has_ipv6: bool


def join(answers: Answers) -> Verdict:
    """Return the report, and delete the archive, which has run."""
    if archive := answers["packed"]["archive"]:
        Path(archive).unlink(missing_ok=True)
    plan = answers["packed"]["plan"]
    accepted = Plan.from_json(plan).accepted if plan else ()
    report = join_findings(answers["connection"]["host"], collect_findings(answers), accepted)
    host = read_host_report(answers["host"])
    return Verdict(text=draw_report(report), stops=len(report.stops), has_ipv6=not host or host["facts"]["ipv6"])


def collect_findings(answers: Answers) -> list[Finding]:
    """Return what the variables, the login, the host and this machine say."""
    packed, connection = answers["packed"], answers["connection"]
    findings = [Finding(**fields) for fields in packed["findings"]]
    findings += explain_login(answers["login"], connection)
    if answers["login"].get("unreachable") or not packed["plan"]:
        return findings
    plan = Plan.from_json(packed["plan"])
    host = read_host_report(answers["host"])
    if host is None:
        if not findings or answers["error"]:
            reason = (answers["error"].strip().splitlines() or ["it printed nothing"])[-1]
            findings.append(
                stop("preflight", f"The checks did not run on the host: {reason}.", "Try: ssh HOST python3 -V")
            )
        return findings
    findings += [Finding(**fields) for fields in host["findings"]]
    facts = host["facts"]
    endpoint = outside.resolve_destination(connection)
    checks: list[Callable[[], list[Finding]]] = [
        lambda: list(outside.check_clock(facts, answers["asked_at"] or time.time())),
        lambda: list(outside.check_name(plan, facts, outside.resolve_name(endpoint.host))),
        lambda: list(outside.check_reachable(plan, facts, endpoint)),
    ]
    with ThreadPoolExecutor(len(checks)) as pool:
        for found in pool.map(lambda check: check(), checks):
            findings += found
    return findings


def read_host_report(text: str) -> HostReport | None:
    """Return what the archive printed on the host, or None where that is no report."""
    for line in reversed(text.splitlines()):  # a login shell may print more
        if line.startswith('{"facts"'):
            report: HostReport = json.loads(line)
            return report
    return None
