"""All causes that the doctor knows: one function for each fault."""

from collections.abc import Iterator

from deploy.doctor.catalogue import Cause, Evidence, Finding, Hop, causes_of_module
from deploy.doctor.causes import application, handshake, idle, network, pages, upgrade_probe, upstream
from deploy.doctor.observations import Observations

MODULES = (network, upstream, pages, upgrade_probe, handshake, application, idle)
CAUSES: tuple[Cause, ...] = tuple(cause for module in MODULES for cause in causes_of_module(module.__name__))
"""All causes, in the order in which those of one hop are checked."""


def find_causes(hop: Hop, observations: Observations) -> Iterator[Finding]:
    """Yield all warnings of the hop, and the first cause that breaks it, if one does."""
    is_broken = False
    for cause in CAUSES:
        if cause.hop is not hop or (is_broken and not cause.is_warning):
            continue
        evidence = cause.check(observations)
        if evidence:
            is_broken = is_broken or not cause.is_warning
            yield Finding(cause, Evidence(evidence) if isinstance(evidence, str) else evidence)
