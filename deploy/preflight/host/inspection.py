"""All checks on the host, one after the other."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.preflight.finding import Finding, HostFacts, HostReport, note
from deploy.preflight.host import names, neighbours, network, storage, system
from deploy.preflight.plan import Plan


def inspect_host(plan: Plan) -> HostReport:
    """Return what the checks of this host find. A check that fails itself becomes a note."""
    findings = []
    for name, check in list_checks(plan):
        try:
            findings += list(check())
        except Exception as error:  # one check must not hide what the others find
            findings.append(note(name, f"This could not be checked: {type(error).__name__}: {error}."))
    facts = HostFacts(
        time=time.time(),
        addresses=network.list_addresses(),
        ipv6=network.has_ipv6(),
        firewall=neighbours.find_firewall(),
    )
    return HostReport(facts=facts, findings=[finding.to_fields() for finding in findings])


def list_checks(plan: Plan) -> list[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks in the order of the report, each with the subject of a note about its own failure."""
    is_installed = names.is_installed(plan)
    needs = storage.list_needs(plan, is_installed=is_installed)
    releases = Path(plan.root, "releases")
    kept = len(os.listdir(releases)) if releases.is_dir() else 0
    total, free = storage.read_memory_mib()
    return [
        ("system", system.check_system),
        ("python", lambda: system.check_python(plan)),
        ("clock", system.check_clock),
        ("memory", lambda: storage.check_memory(plan, total, free, is_installed=is_installed)),
        ("disk", lambda: storage.check_disk(plan, needs, kept)),
        ("mounts", lambda: storage.check_mounts(plan)),
        ("ports", lambda: network.check_ports(plan)),
        ("network", lambda: network.check_connections(plan)),
        ("ipv6", network.check_ipv6),
        ("apt", lambda: system.check_apt(plan)),
        ("selinux", system.check_selinux),
        ("names", lambda: names.check_names(plan)),
        ("nginx", lambda: neighbours.check_nginx(plan)),
        ("redis", lambda: neighbours.check_redis(plan)),
        ("postgresql", lambda: neighbours.check_postgres(plan)),
        ("firewall", lambda: neighbours.check_firewall(plan)),
        ("docker", neighbours.check_docker),
    ]
