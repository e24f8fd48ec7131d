"""The status of a site: what was measured, and what is wrong. `--json` prints it; report.schema.json describes it.

Times are seconds since 1970, sizes are bytes. What could not be measured is None.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

VERSION = 1
HEALTHY, WRONG, UNKNOWN = 0, 1, 2  # exit codes


class Severity(StrEnum):
    """How bad a problem is: the site is broken now, or will be unless someone acts."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, in a sentence, and the command that mends it or shows why."""

    part: str
    """The row of the text report: release, health, sockets, ..."""
    severity: Severity
    text: str
    fix: str


@dataclass(frozen=True)
class Release:
    """Which releases the host has."""

    serving: str | None
    previous: str | None
    since: float | None
    """When the release began to serve."""
    stack: str
    """The version of the stack; "" where the release does not name it."""


@dataclass(frozen=True)
class Server:
    """A service of the site that is enabled."""

    unit: str
    state: str
    """ActiveState and SubState of systemd, such as "active (running)"."""
    restarts: int
    """Restarts by systemd since the last command of an operator."""
    since: float | None
    """When it became active."""
    release: str | None = None
    """The release of its main process; None where that is not known, as for a program of the project."""
    sockets: int | None = None
    """Open WebSockets; None for other services, and for a server that does not answer."""


@dataclass(frozen=True)
class Health:
    """The answer of /readyz; `error` says why there is none."""

    ready: bool
    checks: dict[str, str]
    """Each check's result: "ok", or the reason of its failure."""
    fatal: tuple[str, ...]
    warnings: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Disk:
    """A file system that has folders of the site, as a user who is not root may use it."""

    path: str
    free: int
    size: int
    free_inodes: int
    inodes: int
    """0 where the file system has no fixed number of inodes."""


@dataclass(frozen=True)
class Machine:
    """The host itself."""

    name: str
    uptime: float
    """Seconds."""
    load: float
    """The average of one minute."""
    cpus: int
    memory: int
    available_memory: int
    disks: tuple[Disk, ...]


@dataclass(frozen=True)
class Certificate:
    """The certificate that nginx shows to visitors; `error` says why there is none."""

    days_left: float | None
    issuer: str
    is_self_signed: bool
    error: str = ""


@dataclass(frozen=True)
class Backup:
    """The newest backup: a dump of the database, and the archive of uploaded files where the site has some."""

    name: str
    made_at: float
    size: int


@dataclass(frozen=True)
class DoctorVisit:
    """The last report of the hourly doctor."""

    exit_code: int
    broken: str
    """The hop that is broken; "" where none is."""
    written_at: float


@dataclass(frozen=True)
class Timer:
    """A timer of the site, or of its certificate."""

    unit: str
    next: float | None
    last: float | None


def count_restarts(count: int) -> str:
    """Return the number of restarts in words."""
    return "1 restart" if count == 1 else f"{count} restarts"


@dataclass(frozen=True)
class SiteStatus:
    """The status of one site."""

    site: str
    url: str
    measured_at: float
    seconds: float
    """How long the measurement took."""
    release: Release
    health: Health
    servers: tuple[Server, ...]
    machine: Machine
    certificate: Certificate
    backup: Backup | None
    backups_expected: bool
    """Whether the site is old enough for a nightly backup."""
    doctor: DoctorVisit | None
    failed_units: tuple[str, ...]
    timers: tuple[Timer, ...]
    under_maintenance: bool
    problems: tuple[Problem, ...] = field(default=())
    version: int = VERSION

    @property
    def exit_code(self) -> int:
        """HEALTHY or WRONG."""
        return WRONG if self.problems else HEALTHY

    def to_json(self) -> str:
        """Return the status as JSON, with its exit code."""
        return json.dumps({**asdict(self), "exit_code": self.exit_code}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the status that `to_json` wrote. Raises ValueError for any other text."""
        try:
            content: dict[str, Any] = json.loads(text)
            del content["exit_code"]
            health, machine = content["health"], content["machine"]
            return cls(
                **{
                    **content,
                    "release": Release(**content["release"]),
                    "health": Health(
                        **{**health, "fatal": tuple(health["fatal"]), "warnings": tuple(health["warnings"])}
                    ),
                    "servers": tuple(Server(**server) for server in content["servers"]),
                    "machine": Machine(**{**machine, "disks": tuple(Disk(**disk) for disk in machine["disks"])}),
                    "certificate": Certificate(**content["certificate"]),
                    "backup": Backup(**content["backup"]) if content["backup"] else None,
                    "doctor": DoctorVisit(**content["doctor"]) if content["doctor"] else None,
                    "failed_units": tuple(content["failed_units"]),
                    "timers": tuple(Timer(**timer) for timer in content["timers"]),
                    "problems": tuple(
                        Problem(**{**problem, "severity": Severity(problem["severity"])})
                        for problem in content["problems"]
                    ),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is not the status of a site: {error!r}") from None
