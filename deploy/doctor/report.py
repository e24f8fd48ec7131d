"""What a walk has found, in words and without secrets: what --json prints, and what the picture is drawn from."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from deploy.doctor.catalogue import Finding
from deploy.doctor.inside.seen import Inside
from deploy.doctor.walk import Step, Walk

SECRETS = re.compile(
    r"(?i)(://[^:/@\s]*:)[^@\s]+(@)"
    r"|((?:sessionid|csrftoken|token|password|authorization|secret_key|cookie)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?)[^\s\"';,&]+"
)


@dataclass(frozen=True)
class Found:
    """A finding; names of hops and causes are the same in every release."""

    cause: str
    catalogue: int
    warning: bool
    sentence: str
    seen: str
    where: str
    """file:line, or the log; empty when it is not known."""
    fix: str


@dataclass(frozen=True)
class Passed:
    """A hop; `state` is well, broken, unknown or unreached, `there` the same as seen on the machine."""

    hop: str
    state: str
    note: str = ""
    findings: tuple[Found, ...] = ()
    there: str | None = None

    @property
    def broken(self) -> bool:
        return "broken" in (self.state, self.there)


@dataclass(frozen=True)
class Machine:
    """What only the machine itself shows."""

    handshakes: dict[str, str]
    """Where the same handshake was tried -> what came."""
    facts: tuple[str, ...]
    not_seen: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    url: str
    ws_path: str
    broken: str | None
    exit_code: int
    seconds: float
    certificate_days: float | None
    ours: bool
    """Whether the site is Parley, or was not reached far enough to know."""
    hops: tuple[Passed, ...]
    machine: Machine | None = None
    not_seen: tuple[str, ...] = field(default=())

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Of what json() gave. Raises ValueError."""
        try:
            said: dict[str, Any] = json.loads(text)
            hops = tuple(
                Passed(**{**one, "findings": tuple(Found(**found) for found in one["findings"])})
                for one in said.pop("hops")
            )
            machine = said.pop("machine")
            return cls(**said, hops=hops, machine=Machine(**machine) if machine else None)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a report of this doctor's: {error!r}") from None


def clean(text: str, secrets: tuple[str, ...] = ()) -> str:
    """No secret, and nothing that a terminal would obey."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = SECRETS.sub(lambda match: f"{match[1] or match[3]}***{match[2] or ''}", text)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def report(walk: Walk) -> Report:
    seen, asked = walk.seen, walk.seen.asked

    def cleaned(text: str) -> str:
        return clean(text, asked.secrets)

    def found(one: Finding) -> Found:
        row, evidence = one.row, one.evidence
        return Found(
            row.name, row.number, row.warning, row.cause, cleaned(evidence.text), cleaned(evidence.where), row.fix
        )

    def passed(step: Step) -> Passed:
        return Passed(step.hop.title, step.state, cleaned(step.note), tuple(map(found, step.findings)))

    days = [tls.days for tls in seen.tls.values() if tls.days is not None]
    machine = of_machine(walk, seen.inside) if seen.inside else None
    answered = seen.sentinel is not None and not seen.sentinel.error and seen.sentinel.status < 500
    return Report(
        url=f"https://{asked.host}" + ("" if asked.port == 443 else f":{asked.port}"),
        ws_path=asked.ws_path,
        broken=walk.broken.hop.title if walk.broken else None,
        exit_code=walk.code,
        seconds=round(walk.seconds, 2),
        certificate_days=round(min(days), 1) if days else None,
        ours=bool(seen.report) or seen.is_parley or not answered,
        hops=tuple(map(passed, walk.steps)),
        machine=machine,
        not_seen=machine.not_seen if machine else (),
    )


def of_machine(walk: Walk, inside: Inside) -> Machine:
    """The same handshake at each hop of the machine: the first that is no 101 is to blame."""
    replies = {"through the name": walk.seen.handshake, "127.0.0.1": inside.local, **inside.direct}
    facts = [f"{name} {version}" for name, version in inside.versions.items()]
    if inside.redis:
        facts.append(f"Redis {inside.redis.get('redis_version', '?')}")
    if inside.postgres:
        facts.append(f"PostgreSQL {inside.postgres}")
    facts += [f"process {one.pid}: {one.files} of {one.files_limit} files" for one in inside.processes.values()]
    if inside.clock:
        facts.append("clock kept by NTP" if inside.clock == "yes" else "clock not kept by NTP")
    return Machine(
        {clean(name): clean(str(reply)) for name, reply in replies.items() if reply is not None},
        tuple(map(clean, facts)),
        tuple(map(clean, inside.notes)),
    )
