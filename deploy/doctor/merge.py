"""Merges two reports about one site: the one from here, as visitors reach the site, and the one from its host."""

from dataclasses import replace

from deploy.doctor.catalogue import Hop, HopState
from deploy.doctor.report import Report, ReportedFinding, ReportedHop


def merge_reports(here: Report, host: Report) -> Report:
    """Return one report in which a hop is broken when it is broken in either.

    Where both name a cause for one hop, the host's is kept, because more is known there.
    """
    host_hops = {hop.hop: hop for hop in host.hops}
    hops = tuple(merge_hops(hop, host_hops[hop.hop]) if hop.hop in host_hops else hop for hop in here.hops)
    broken = next((hop.hop for hop in hops if hop.is_broken), None)
    return replace(
        here,
        broken=broken,
        exit_code=next((hop.exit_code for hop in Hop if hop.title == broken), 0),
        seconds=max(here.seconds, host.seconds),
        may_be_stack_site=here.may_be_stack_site and host.may_be_stack_site,
        hops=hops,
        machine=host.machine,
        not_inspected=host.not_inspected,
    )


def merge_hops(here: ReportedHop, host: ReportedHop) -> ReportedHop:
    """Return the hop as seen from here, with the host's state, note and findings where they tell more."""
    note = here.note if here.state is HopState.OK or host.state is not HopState.OK else host.note
    return replace(here, host_state=host.state, note=note, findings=tuple(merge_findings(here, host)))


def merge_findings(here: ReportedHop, host: ReportedHop) -> list[ReportedFinding]:
    """Return the cause that breaks the hop, if one does, and the warnings of both without repetition."""
    broken_hop = host if host.state is HopState.BROKEN else here
    breaking = [finding for finding in broken_hop.findings if not finding.warning]
    warnings = {finding.cause: finding for finding in (*here.findings, *host.findings) if finding.warning}
    return [*breaking, *warnings.values()]
