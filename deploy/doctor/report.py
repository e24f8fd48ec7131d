"""The doctor's report, without secrets: `--json` prints it, and the text report is drawn from it.

`report.schema.json` describes the JSON. Version 2 named the states ok and skipped, and renamed some keys and causes;
reports of version 1 can still be read, and their keys are still written, for one release.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from deploy.doctor.catalogue import Finding, HopState
from deploy.doctor.observations import HostObservations, Observations
from deploy.doctor.runner import Diagnosis, HopOutcome

VERSION = 2
STATES_OF_VERSION_1 = {"well": HopState.OK, "unreached": HopState.SKIPPED}
SECRETS = re.compile(
    r"(?i)(://[^:/@\s]*:)[^@\s]+(@)"
    r"|((?:sessionid|csrftoken|token|password|authorization|secret_key|cookie)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?)[^\s\"';,&]+"
)


@dataclass(frozen=True)
class ReportedFinding:
    """A cause that applies at a hop."""

    cause: str
    """The name of the cause, which stays the same in every release."""
    catalogue: int
    """The catalogue's number of the cause; 0: it has none."""
    warning: bool
    """Whether the hop works in spite of it."""
    sentence: str
    seen: str
    """The evidence, in one line."""
    where: str
    """FILE:LINE of the configuration, or the log; empty when it is not known."""
    fix: str
    former_cause: str | None = None
    """The name of the cause in version 1, where that was another one."""


@dataclass(frozen=True)
class ReportedHop:
    """The state of a hop."""

    hop: str
    """The title of the hop, which stays the same in every release."""
    state: HopState
    note: str = ""
    """Where the hop is ok, a few words about it; where it is unknown, why."""
    findings: tuple[ReportedFinding, ...] = ()
    host_state: HopState | None = None
    """The state as the doctor on the host found it; None when it did not run there."""

    @property
    def is_broken(self) -> bool:
        """Whether the hop is broken from here or on the host."""
        return HopState.BROKEN in (self.state, self.host_state)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the hop of a report of any version. Raises KeyError, TypeError, ValueError or AttributeError."""
        content = {key: value for key, value in content.items() if key != "there"}
        host_state = content.get("host_state")
        return cls(
            **{
                **content,
                "state": parse_state(content["state"]),
                "findings": tuple(ReportedFinding(**finding) for finding in content["findings"]),
                "host_state": parse_state(host_state) if host_state else None,
            }
        )


@dataclass(frozen=True)
class HostReport:
    """What only the host itself shows."""

    handshakes: dict[str, str]
    """Where the same WebSocket handshake was sent -> its answer."""
    facts: tuple[str, ...]
    """Versions, open files, clock."""
    not_inspected: tuple[str, ...]
    """What could not be inspected, and why."""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the part of a report of any version. Raises KeyError, TypeError or AttributeError."""
        not_inspected = content["not_inspected"] if "not_inspected" in content else content["not_seen"]
        return cls(dict(content["handshakes"]), tuple(content["facts"]), tuple(not_inspected))


@dataclass(frozen=True)
class Report:
    """What the doctor found."""

    url: str
    """`https://` with the site's name and port."""
    ws_path: str
    broken: str | None
    """The title of the hop that is broken; None when the WebSocket works."""
    exit_code: int
    seconds: float
    """How long the doctor took."""
    certificate_days: float | None
    """Days until the first certificate ends; None when none was verified."""
    may_be_stack_site: bool
    """Whether the stack serves the site, or not enough of it was reached to know."""
    hops: tuple[ReportedHop, ...]
    machine: HostReport | None = None
    """None: the doctor did not run on the host."""
    not_inspected: tuple[str, ...] = field(default=())
    """What could not be inspected on the host, and why."""
    version: int = VERSION

    def to_json(self) -> str:
        """Return the report as JSON, with the keys of version 1 beside those that replaced them."""
        content = asdict(self)
        content["ours"] = content["may_be_stack_site"]
        content["not_seen"] = content["not_inspected"]
        for hop in content["hops"]:
            hop["there"] = hop["host_state"]
        if content["machine"]:
            content["machine"]["not_seen"] = content["machine"]["not_inspected"]
        return json.dumps(content, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the report that `to_json` wrote, in this version or in version 1.

        Raises:
            ValueError: the text is no such report.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            version = content.get("version", 1)
            if version not in (1, VERSION):
                raise ValueError(f"version {version} of the report is not known")
            return cls(
                url=content["url"],
                ws_path=content["ws_path"],
                broken=content["broken"],
                exit_code=content["exit_code"],
                seconds=content["seconds"],
                certificate_days=content["certificate_days"],
                may_be_stack_site=content["ours"],
                hops=tuple(map(ReportedHop.from_json, content["hops"])),
                machine=HostReport.from_json(content["machine"]) if content["machine"] else None,
                not_inspected=tuple(content["not_inspected" if version > 1 else "not_seen"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not a report of the doctor: {error!r}") from None


def parse_state(text: str) -> HopState:
    """Return the state of that name in any version of the report. Raises ValueError."""
    return STATES_OF_VERSION_1.get(text) or HopState(text)


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text without these secrets, without what looks like one, and without control characters."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = SECRETS.sub(lambda match: f"{match[1] or match[3]}***{match[2] or ''}", text)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def make_report(diagnosis: Diagnosis) -> Report:
    """Return the report of a diagnosis."""
    observations, options = diagnosis.observations, diagnosis.observations.options
    broken = diagnosis.broken_hop
    days_left = [tls.days_left for tls in observations.tls.values() if tls.days_left is not None]
    machine = report_host(observations, observations.host) if observations.host else None
    probe_reply = observations.upgrade_probe_reply
    is_site_reached = probe_reply is not None and not probe_reply.error and probe_reply.status < 500
    return Report(
        url=f"https://{options.host}" + ("" if options.port == 443 else f":{options.port}"),
        ws_path=options.ws_path,
        broken=broken.title if broken else None,
        exit_code=broken.exit_code if broken else 0,
        seconds=round(diagnosis.seconds, 2),
        certificate_days=round(min(days_left), 1) if days_left else None,
        may_be_stack_site=bool(observations.upgrade_probe) or observations.is_chat or not is_site_reached,
        hops=tuple(report_hop(outcome, options.secrets) for outcome in diagnosis.outcomes),
        machine=machine,
        not_inspected=machine.not_inspected if machine else (),
    )


def report_hop(outcome: HopOutcome, secrets: tuple[str, ...]) -> ReportedHop:
    """Return the hop for a report, without these secrets."""
    findings = tuple(report_finding(finding, secrets) for finding in outcome.findings)
    return ReportedHop(outcome.hop.title, outcome.state, redact(outcome.note, secrets), findings)


def report_finding(finding: Finding, secrets: tuple[str, ...]) -> ReportedFinding:
    """Return the finding for a report, without these secrets."""
    cause, evidence = finding.cause, finding.evidence
    return ReportedFinding(
        cause=cause.name,
        catalogue=cause.number,
        warning=cause.is_warning,
        sentence=cause.sentence,
        seen=redact(evidence.text, secrets),
        where=redact(evidence.where, secrets),
        fix=cause.fix,
        former_cause=cause.former_name,
    )


def report_host(observations: Observations, host: HostObservations) -> HostReport:
    """Return the host's part of a report.

    The handshakes are in the order of the way to the application: the first one without a 101 shows who is to blame.
    """
    through_the_name = observations.handshake.reply if observations.handshake else None
    replies = {"through the name": through_the_name, "127.0.0.1": host.local_handshake, **host.upstream_handshakes}
    facts = [f"{package} {version}" for package, version in host.versions.items()]
    if host.redis_info:
        facts.append(f"Redis {host.redis_info.get('redis_version', '?')}")
    if host.postgres:
        facts.append(f"PostgreSQL {host.postgres}")
    facts += [
        f"process {process.pid}: {process.open_files} of {process.max_open_files} files open"
        for process in host.processes.values()
    ]
    if host.clock_synchronized:
        facts.append("clock kept by NTP" if host.clock_synchronized == "yes" else "clock not kept by NTP")
    return HostReport(
        handshakes={redact(place): redact(str(reply)) for place, reply in replies.items() if reply is not None},
        facts=tuple(map(redact, facts)),
        not_inspected=tuple(map(redact, host.not_inspected)),
    )
