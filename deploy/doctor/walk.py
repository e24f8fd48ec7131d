"""The way itself: one hop after the other, until one is broken."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.doctor import causes, notes, probes, talk
from deploy.doctor.catalogue import Finding, Hop, findings
from deploy.doctor.seen import Seen

assert causes  # importing it fills the table

PROBES: dict[Hop, Callable[[Seen], None]] = {**probes.OUTSIDE, **talk.TALK}


@dataclass
class Step:
    """A hop: `state` is well, broken, unknown or unreached; `note` a few words, of what was seen or cannot be known."""

    hop: Hop
    state: str
    note: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Walk:
    seen: Seen
    steps: list[Step]
    seconds: float

    @property
    def broken(self) -> Step | None:
        return next((step for step in self.steps if step.state == "broken"), None)

    @property
    def code(self) -> int:
        return self.broken.hop.code if self.broken else 0


def walk(seen: Seen, tell: Callable[[Hop], None]) -> Walk:
    """Ask, judge, go on. `tell` hears where we are."""
    began = time.monotonic()
    steps: list[Step] = []
    for hop in Hop:
        tell(hop)
        if any(step.state == "broken" for step in steps):
            steps.append(Step(hop, "unreached"))
            continue
        if probe := PROBES.get(hop):
            probe(seen)
        if seen.inside:
            seen.inside.logs_are_old = True
        found = list(findings(hop, seen))
        if any(not one.row.warning for one in found):
            steps.append(Step(hop, "broken", "", found))
            continue
        unknown = notes.unknown(hop, seen)
        steps.append(Step(hop, "unknown" if unknown else "well", unknown or notes.well(hop, seen), found))
    if seen.handshake and seen.handshake.line:
        seen.handshake.line.close()
    return Walk(seen, steps, time.monotonic() - began)
