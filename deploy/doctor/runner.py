"""Runs the probes and checks the causes, one hop after the other, until a hop is broken."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.doctor import http_probes, network_probes, summaries, ws_probes
from deploy.doctor.catalogue import Finding, Hop, HopState
from deploy.doctor.causes import find_causes
from deploy.doctor.observations import Observations

PROBES: dict[Hop, Callable[[Observations], None]] = {
    Hop.DNS: network_probes.resolve_name,
    Hop.TCP: network_probes.probe_tcp,
    Hop.TLS: network_probes.probe_tls,
    Hop.REDIRECT: http_probes.probe_redirects,
    Hop.HTTP: http_probes.probe_page,
    Hop.UPGRADE_PROBE: http_probes.probe_upgrade,
    Hop.WEBSOCKET: ws_probes.probe_handshake,
    Hop.CHANNELS: ws_probes.probe_channels,
    # Hop.LAYER has no probe of its own: /readyz, Redis and the logs have been observed before.
    Hop.CHAT: ws_probes.probe_chat,
    Hop.HOLD: ws_probes.probe_idle,
    Hop.CLOSE: ws_probes.probe_close,
}


@dataclass
class HopOutcome:
    """What the doctor found at one hop."""

    hop: Hop
    state: HopState
    note: str = ""
    """Where the hop is ok, a few words about it; where it is unknown, why."""
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Diagnosis:
    """What the doctor found at all hops."""

    observations: Observations
    outcomes: list[HopOutcome]
    """One for each hop, in order."""
    seconds: float

    @property
    def broken_hop(self) -> Hop | None:
        """The hop that is broken; None when the WebSocket works."""
        return next((outcome.hop for outcome in self.outcomes if outcome.state is HopState.BROKEN), None)


def diagnose(observations: Observations, on_hop: Callable[[Hop], None]) -> Diagnosis:
    """Probe and judge each hop in order. The hops after a broken one are skipped.

    Args:
        observations: what is known already; the probes add to it.
        on_hop: called with each hop before it is probed.
    """
    started = time.monotonic()
    outcomes: list[HopOutcome] = []
    for hop in Hop:
        on_hop(hop)
        if any(outcome.state is HopState.BROKEN for outcome in outcomes):
            outcomes.append(HopOutcome(hop, HopState.SKIPPED))
            continue
        if probe := PROBES.get(hop):
            probe(observations)
        if observations.host:
            observations.host.are_new_lines_outdated = True
        outcomes.append(judge_hop(hop, observations))
    if observations.handshake:
        observations.handshake.abort()
    return Diagnosis(observations, outcomes, time.monotonic() - started)


def judge_hop(hop: Hop, observations: Observations) -> HopOutcome:
    """Return the state of a hop that has been probed, with the causes that apply."""
    found = list(find_causes(hop, observations))
    if any(not finding.cause.is_warning for finding in found):
        return HopOutcome(hop, HopState.BROKEN, "", found)
    if unknown := summaries.explain_unknown(hop, observations):
        return HopOutcome(hop, HopState.UNKNOWN, unknown, found)
    return HopOutcome(hop, HopState.OK, summaries.summarize(hop, observations), found)
